import { everyRow } from "../../agent/node/index.ts";
import type { View } from "../../agent/store/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { type Account, accountOf } from "./account.ts";
import { loadDue } from "./events.ts";
import { decodeRecord, tables } from "./record.ts";

/** Every account that was ever adopted here, by hexadecimal id, as the last process left it. Throws TCBOR_*, STORE_DAMAGED. */
export function loadAccounts(view: View): Map<string, Account> {
  const accounts = new Map<string, Account>();
  for (const { id, value } of everyRow(view, tables.account))
    accounts.set(toHex(id), accountOf(id, toHex(id), decodeRecord(value)));
  loadDue(accounts, view);
  return accounts;
}
