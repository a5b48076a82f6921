import type { AccountSummary, DeviceSummary } from "./device-summary.ts";
import { visible } from "./visible-text.ts";

const columns = [
  "device",
  "account",
  "proven changes",
  "last proof",
  "version",
  "entry",
  "approved by",
  "exceptions",
  "password unknown since entry",
  "reads",
  "reads refused",
];

/** The summary as CSV (RFC 4180), one line an account. */
export function summaryCsv(summary: DeviceSummary): string {
  const rows = [columns, ...summary.accounts().map(cellsOf)];
  return rows.map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

function cellsOf(account: AccountSummary): string[] {
  const { lastProven, approved, exceptions, exceptionCount, unknownSince, reads, refused } = account;
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
    unknownSince === null ? "" : String(unknownSince),
    String(reads),
    String(refused),
  ];
}

/** A cell that a spreadsheet takes for text: what begins like a formula gets an apostrophe before it. */
function csvCell(text: string): string {
  const shown = visible(text);
  const safe = /^\s*[=+\-@]/.test(shown) ? `'${shown}` : shown;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
