import { everyRow } from "../../agent/node/index.ts";
import type { Transaction, View } from "../../agent/store/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { type Account, accountOf } from "./account.ts";
import { loadDue } from "./events.ts";
import { readAPart } from "./limits.ts";
import { decodeRecord, tables, valueId } from "./record.ts";

/**
 * Reads every account that was ever adopted here, by hexadecimal id, as the last process left it; in parts, between which others may
 * be served. Throws TCBOR_*, STORE_DAMAGED.
 */
export function* readAccounts(view: View): Generator<void, Map<string, Account>> {
  const accounts = new Map<string, Account>();
  for (const { id, value } of everyRow(view, tables.account)) {
    accounts.set(toHex(id), accountOf(id, toHex(id), decodeRecord(value)));
    if (accounts.size % readAPart === 0) yield;
  }
  loadDue(accounts, view);
  return accounts;
}

/** One account, without what is due; null where it was never adopted. Throws TCBOR_*, STORE_DAMAGED. */
export function readAccount(view: View, id: Uint8Array): Account | null {
  const row = view.get(tables.account, id);
  return row === null ? null : accountOf(id, toHex(id), decodeRecord(row));
}

/** Takes an account's rows off the disk: its record and every value of it. */
export function forgetAccount(tx: Transaction, { id, record }: Account): void {
  for (let ref = 0; ref < record.nextRef; ref += 1) tx.delete(tables.value, valueId(id, ref));
  tx.delete(tables.escrow, id);
  tx.delete(tables.account, id);
}
