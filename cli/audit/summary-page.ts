import type { ExportGrant } from "../../agent/custody/index.ts";
import type { AccountSummary, DeviceSummary } from "./device-summary.ts";
import { summaryStyle } from "./summary-style.ts";
import { escaped } from "./visible-text.ts";

/** What stands above the tables. */
export interface SummaryHead {
  readonly grant: ExportGrant;
  /** One line about the medium and who carries it. */
  readonly carried: string;
  /** When the export began, as text. */
  readonly at: string;
}

/** How a time begins whose node was never told one, and counts from 0. */
const neverTold = ">=1970-01-01T";

/** Accounts that are named among those that need a look; the others stand in the table. */
const namedAccounts = 100;

/** The summary as one page without script, pictures or anything that is fetched. */
export function summaryHtml(summary: DeviceSummary, head: SummaryHead): string {
  const { grant } = head;
  const accounts = summary.accounts();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(`Tidegate audit of ${grant.nodeName}`)}</title>
<style>${summaryStyle}</style>
</head>
<body>
<header>
<h1>Audit of <bdi>${escaped(grant.nodeName)}</bdi></h1>
<p class="soft">${escaped(grant.role)}, entries ${grant.from} to ${grant.size - 1} of log ${grant.serial}, ${escaped(shown(head.at))}</p>
</header>
<p class="note"><b>This page is a convenience and proves nothing.</b> What it says of accounts and of the node names the entry that it was taken from; those
entries are proven where <code>tidegate audit verify</code> ends with OK on the folder that this page lies in. Times are the node's own; &ge; means that only a
lower bound was known.</p>
${tiles(summary, accounts, grant.role)}
${attention(accounts, summary)}
${facts(summary, head)}
${accountTable(accounts)}
${nodeTable(summary)}
${peopleTable(summary)}
</body>
</html>
`;
}

function tiles({ notes }: DeviceSummary, accounts: readonly AccountSummary[], role: string): string {
  const sum = (of: (each: AccountSummary) => number) => accounts.reduce((total, each) => total + of(each), 0);
  const named = accounts.filter(({ account }) => account !== "");
  const unknown = named.filter(({ unknownSince }) => unknownSince !== null).length;
  const never = named.filter(({ lastProven }) => lastProven === null).length;
  const changes = sum((each) => each.changes);
  // A gateway logs in to no device: that it proves nothing is in order.
  const lacking = never > 0 ? "warn" : "good";
  const all: [number, string, string][] = [
    [named.length, "accounts", ""],
    [changes, "changes proven on the device", changes > 0 ? "good" : ""],
    [never, "accounts whose password is not proven here", role === "gateway" ? "" : lacking],
    [unknown, "accounts whose password is not known", unknown > 0 ? "bad" : "good"],
    [sum(({ exceptionCount }) => exceptionCount), "exceptions", ""],
    [notes.refusedReads, "reads refused", ""],
    [notes.reads, "reads answered", ""],
    [notes.missing, "entries said not to be written", notes.missing > 0 ? "warn" : "good"],
  ];
  return `<ul class="tiles">\n${all.map(([count, says, look]) => `<li class="${look}"><b>${number(count)}</b>${says}</li>`).join("\n")}\n</ul>`;
}

/** What a reader wants first: accounts with an unknown password or exceptions, and refused reads. */
function attention(accounts: readonly AccountSummary[], { notes }: DeviceSummary): string {
  const wanted = accounts.map((account, at) => ({ account, at })).filter(({ account }) => account.exceptionCount > 0);
  const unknownFirst = wanted.toSorted(
    (a, b) => Number(b.account.unknownSince !== null) - Number(a.account.unknownSince !== null),
  );
  if (wanted.length === 0 && notes.lastRefused === null)
    return "<h2>Needs a look</h2>\n<p>Nothing: no exception and no refused read stands in these entries.</p>";
  const items = unknownFirst.slice(0, namedAccounts).map(({ account: { device, account, exceptions, exceptionCount }, at }) => {
    const last = exceptions.at(-1);
    const says = last === undefined ? "" : `${escaped(last.what)} ${source(last)}`;
    const more = exceptionCount > 1 ? ` <small>and ${number(exceptionCount - 1)} more</small>` : "";
    return `<li><a href="#a${at}"><bdi>${escaped(nameOf(device, account))}</bdi></a>: ${says}${more}</li>`;
  });
  const rest =
    wanted.length > namedAccounts ? `<li>and ${number(wanted.length - namedAccounts)} more accounts, see below</li>` : "";
  const refused =
    notes.lastRefused === null
      ? ""
      : `<li>${counted(notes.refusedReads, "read")} refused, the last to <bdi>${escaped(notes.lastRefused.what)}</bdi> ${source(notes.lastRefused)}</li>`;
  return `<h2>Needs a look</h2>\n<ul>\n${items.join("\n")}${rest}${refused}\n</ul>`;
}

function facts(summary: DeviceSummary, { grant, carried, at }: SummaryHead): string {
  const { notes, first, last, entries, others } = summary;
  const missing = grant.from === 0 ? "" : `; entries before ${grant.from} are not in this copy`;
  const all: [string, string][] = [
    ["Node", `${grant.nodeName} (${grant.role}), id ${grant.node}`],
    ["Vault", grant.vaultId],
    ["Copied", `${shown(at)}, ${carried}`],
    ["Time of the entries", `${first === null ? "none" : shown(first)} to ${last === null ? "none" : shown(last)}${missing}`],
    ["Entries", `${number(entries)}, of which ${number(others)} concern no device`],
    ["Vouched for by others", grant.anchor === null ? "nothing yet" : `the first ${number(grant.anchor.size)} entries`],
    ["Starts", `${number(notes.starts)}, of which ${number(notes.crashes)} after a crash or power cut`],
  ];
  return `<h2>This copy</h2>\n<dl>\n${all.map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`).join("\n")}\n</dl>`;
}

function accountTable(accounts: readonly AccountSummary[]): string {
  const rows: string[] = [];
  let before: string | null = null;
  for (const [at, account] of accounts.entries()) {
    if (account.device !== before)
      rows.push(`<tr class="device"><th colspan="6" scope="rowgroup"><bdi>${escaped(account.device)}</bdi></th></tr>`);
    before = account.device;
    rows.push(accountRow(account, at));
  }
  if (rows.length === 0) return "<h2>Devices</h2>\n<p>These entries concern no device.</p>";
  return `<h2>Devices</h2>
<div class="wide"><table>
<thead><tr><th scope="col">Account</th><th scope="col">Standing</th><th scope="col">Last proof on the device</th><th scope="col">Last asked for or approved by</th><th scope="col" class="r">Reads</th><th scope="col">Exceptions, newest first</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table></div>`;
}

function accountRow(account: AccountSummary, at: number): string {
  const { lastProven, approved, changes, reads, refused } = account;
  const name =
    account.account === "" ? '<span class="soft">the device itself</span>' : `<bdi>${escaped(account.account)}</bdi>`;
  // A device as a whole has no password: what is empty there is not missing.
  const none = (text: string) => (account.account === "" ? "" : `<span class="soft">${text}</span>`);
  const change =
    lastProven === null
      ? none("none here")
      : `${time(lastProven.time)}<br><small>version <span class="n">${escaped(lastProven.version)}</span>, entry <span class="n">${lastProven.index}</span>, ${counted(changes, "change")} in all</small>`;
  const by =
    approved === null
      ? none("nobody here")
      : `<bdi>${escaped(approved.by)}</bdi><br><small><code>${escaped(approved.what)}</code> ${time(approved.time)}, entry <span class="n">${approved.index}</span></small>`;
  const read =
    account.account === "" && reads + refused === 0
      ? ""
      : `<span class="n">${number(reads)}</span>${refused > 0 ? `<br><small>${number(refused)} refused</small>` : ""}`;
  return `<tr id="a${at}"><th scope="row">${name}</th><td>${standing(account)}</td><td>${change}</td><td>${by}</td><td class="r">${read}</td><td>${exceptionList(account)}</td></tr>`;
}

function standing({ account, lastProven, unknownSince }: AccountSummary): string {
  if (account === "") return "";
  if (unknownSince !== null) return `<span class="badge bad">not known</span><br><small>since entry ${unknownSince}</small>`;
  return lastProven === null ? '<span class="badge warn">not proven here</span>' : '<span class="badge good">proven</span>';
}

function exceptionList({ exceptions, exceptionCount }: AccountSummary): string {
  if (exceptionCount === 0) return '<span class="soft">none</span>';
  const items = exceptions.toReversed().map((each) => `<li>${escaped(each.what)} ${source(each)}</li>`);
  if (exceptionCount > exceptions.length) items.push(`<li>and ${number(exceptionCount - exceptions.length)} before</li>`);
  return `<ul>${items.join("")}</ul>`;
}

function nodeTable({ notes }: DeviceSummary): string {
  const told = notes.told();
  if (told.length === 0) return "<h2>The node and its log</h2>\n<p>Nothing out of the ordinary.</p>";
  const rows = told.map(
    (each) => `<tr><td>${time(each.time)}</td><td>${escaped(each.what)}</td><td class="r n">${each.index}</td></tr>`,
  );
  const more = notes.count > told.length ? `<caption>The newest ${told.length} of ${number(notes.count)}.</caption>` : "";
  return `<h2>The node and its log</h2>
<div class="wide"><table>${more}
<thead><tr><th scope="col">Time</th><th scope="col">What</th><th scope="col" class="r">Entry</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table></div>`;
}

function peopleTable({ notes }: DeviceSummary): string {
  const people = [...notes.people].toSorted(([a, many], [b, few]) => few - many || (a < b ? -1 : 1)).slice(0, namedAccounts);
  if (people.length === 0) return "";
  const rows = people.map(
    ([name, count]) => `<tr><td><bdi>${escaped(name)}</bdi></td><td class="r n">${number(count)}</td></tr>`,
  );
  return `<h2>People who acted</h2>
<table>
<thead><tr><th scope="col">Who</th><th scope="col" class="r">Entries</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
}

function nameOf(device: string, account: string): string {
  return account === "" ? device : `${device}/${account}`;
}

function source({ time: at, index }: { readonly time: string; readonly index: number }): string {
  return `<small>${time(at)}, entry <span class="n">${index}</span></small>`;
}

/** A moment as a person reads it; the exact one stays in the attribute. */
function time(text: string): string {
  return `<time class="n" datetime="${escaped(text.replace(/^>=/, ""))}">${escaped(shown(text))}</time>`;
}

function shown(text: string): string {
  // A node that was never told the time knows no more than that.
  if (text.startsWith(neverTold)) return "not known";
  return text.replace(/^>=/, "\u2265\u00a0").replace(/T(\d\d:\d\d:\d\d)\.\d+Z$/, " $1 UTC");
}

function counted(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** With a narrow space between thousands. */
function number(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}
