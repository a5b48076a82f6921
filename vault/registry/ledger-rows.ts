import type { CandidateIndex, Ledger, LedgerStatus } from "../../protocol/rotation/index.ts";
import type { AccountRow, VaultTransaction } from "../store/index.ts";

/** The account's ledger as its rows stand, or null before the first credential. */
export async function loadLedger(tx: VaultTransaction, account: AccountRow): Promise<Ledger | null> {
  const rows = await tx
    .selectFrom("credentials")
    .select(["epoch", "number", "status", "fingerprint"])
    .where("account_id", "=", account.account_id)
    .orderBy("epoch")
    .orderBy("number")
    .execute();
  if (rows.length === 0) return null;
  const values = rows.map((row) => ({
    index: [row.epoch, row.number] as CandidateIndex,
    fingerprint: row.fingerprint,
    status: row.status as LedgerStatus,
  }));
  return { epoch: account.epoch, nextNumber: account.next_number, unsettled: account.unsettled === 1, values };
}

/** Writes what changed between two states of one ledger; the values' own rows are inserted by who issues them. */
export async function saveLedger(
  tx: VaultTransaction,
  account: AccountRow,
  { before, after, nowMs }: { readonly before: Ledger | null; readonly after: Ledger; readonly nowMs: number },
): Promise<void> {
  const old = new Map(before?.values.map((value) => [indexKey(value.index), value.status]));
  // The one that stops being acknowledged first: at most one row is, at every moment.
  const changed = after.values.filter(({ index, status }) => old.has(indexKey(index)) && old.get(indexKey(index)) !== status);
  for (const value of changed.sort((a) => (a.status === "acknowledged" ? 1 : -1))) {
    await tx
      .updateTable("credentials")
      .set({ status: value.status, status_at: nowMs })
      .where("account_id", "=", account.account_id)
      .where("epoch", "=", value.index[0])
      .where("number", "=", value.index[1])
      .execute();
  }
  await tx
    .updateTable("accounts")
    .set({ epoch: after.epoch, next_number: after.nextNumber, unsettled: after.unsettled ? 1 : 0 })
    .where("account_id", "=", account.account_id)
    .execute();
}

function indexKey([epoch, number]: CandidateIndex): string {
  return `${epoch}.${number}`;
}
