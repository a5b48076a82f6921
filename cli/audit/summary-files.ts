import type { ExportGrant } from "../../agent/custody/index.ts";
import type { AccountSummary, DeviceSummary } from "./device-summary.ts";

/** What stands above the table. */
export interface SummaryHead {
  readonly grant: ExportGrant;
  /** One line about the medium and who carries it. */
  readonly carried: string;
  /** When the export began, as text. */
  readonly at: string;
}

const columns = ["device", "account", "proven changes", "last proven change", "version", "entry", "approved by", "exceptions"];

/** The summary as CSV (RFC 4180), one line an account. */
export function summaryCsv(summary: DeviceSummary): string {
  const rows = [columns, ...summary.accounts().map(cellsOf)];
  return rows.map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

/** The summary as one page without script, pictures or anything that is fetched. */
export function summaryHtml(summary: DeviceSummary, head: SummaryHead): string {
  const { grant } = head;
  const facts: [string, string][] = [
    ["Node", `${grant.nodeName} (${grant.role}, ${grant.node})`],
    ["Vault", grant.vaultId],
    ["Log", `serial ${grant.serial}, entries ${grant.from} to ${grant.size - 1}`],
    ["Exported", `${head.at}, ${head.carried}`],
    ["Time of the entries", `${summary.first ?? "none"} to ${summary.last ?? "none"}`],
    ["Vouched for by others", grant.anchor === null ? "nothing yet" : `the first ${grant.anchor.size} entries`],
  ];
  const accounts = summary.accounts();
  const exceptions = accounts.reduce((sum, each) => sum + each.exceptionCount, 0);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(`Tidegate audit of ${grant.nodeName}`)}</title>
<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color: #1b1b1b; max-width: 80rem }
h1 { font-size: 1.4rem; margin: 0 0 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0 0 1.5rem }
dt { color: #555 } dd { margin: 0; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #d5d5d5 }
th { background: #f2f4f5; position: sticky; top: 0 }
tr.never td { background: #fff6e0 } td.bad { color: #8a1f11 }
ul { margin: 0; padding-left: 1rem } small { color: #555 }
p.note { background: #f2f4f5; padding: .6rem .8rem }
@media print { th { position: static } body { margin: 0 } }
</style>
</head>
<body>
<h1>${escaped(`Audit of ${grant.nodeName}`)}</h1>
<dl>
${facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join("\n")}
</dl>
<p class="note">This page is a convenience and proves nothing. What it says is proven by the entries named in it, where
<code>tidegate audit verify</code> ends with OK on this folder. Times are the node's; &ge; means that only a lower bound was known.</p>
<p>${accounts.length} accounts, ${exceptions} exceptions, ${summary.entries} entries, of which ${summary.others} concern no device.</p>
<table>
<thead><tr><th>Device</th><th>Account</th><th>Last proven change</th><th>Approved by</th><th>Exceptions</th></tr></thead>
<tbody>
${accounts.map(row).join("\n")}
</tbody>
</table>
</body>
</html>
`;
}

function row(account: AccountSummary): string {
  const { device, lastProven, approved, exceptionCount, exceptions } = account;
  const change =
    lastProven === null
      ? "never in these entries"
      : `${escaped(lastProven.time)}<br><small>version ${escaped(lastProven.version)}, entry ${lastProven.index}, ${account.changes} in all</small>`;
  const by =
    approved === null
      ? "nobody in these entries"
      : `${escaped(approved.by)}<br><small>${escaped(approved.what)}, ${escaped(approved.time)}, entry ${approved.index}</small>`;
  const told = exceptions.map(
    ({ time, what, index }) => `<li>${escaped(what)} <small>${escaped(time)}, entry ${index}</small></li>`,
  );
  const more = exceptionCount > exceptions.length ? `<li>and ${exceptionCount - exceptions.length} before</li>` : "";
  const list = exceptionCount === 0 ? "none" : `<ul>${told.reverse().join("")}${more}</ul>`;
  return `<tr${lastProven === null && account.account !== "" ? ' class="never"' : ""}><td>${escaped(device)}</td><td>${escaped(account.account)}</td><td>${change}</td><td>${by}</td><td${exceptionCount > 0 ? ' class="bad"' : ""}>${list}</td></tr>`;
}

function cellsOf(account: AccountSummary): string[] {
  const { lastProven, approved, exceptions, exceptionCount } = account;
  const told = exceptions.map(({ time, what, index }) => `${time} ${what} (entry ${index})`);
  if (exceptionCount > told.length) told.push(`and ${exceptionCount - told.length} before`);
  return [
    account.device,
    account.account,
    String(account.changes),
    lastProven?.time ?? "",
    lastProven?.version ?? "",
    lastProven === null ? "" : String(lastProven.index),
    approved === null ? "" : `${approved.by} (${approved.what}, entry ${approved.index})`,
    told.join("; "),
  ];
}

/** A cell that a spreadsheet takes for text: what begins like a formula gets an apostrophe before it. */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function escaped(text: string): string {
  return text.replace(/[&<>"'\p{Cc}]/gu, (unit) => `&#${unit.codePointAt(0) ?? 0};`);
}
