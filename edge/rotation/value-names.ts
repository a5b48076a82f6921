import type { View } from "../../agent/store/index.ts";
import type { Account } from "./account.ts";
import { decodeValue, tables, type ValueName, valueId } from "./record.ts";

/** Names kept of an account's values: those that may be live, and those that come next. */
const mostKept = 5;

/** Keeps the name of a value whose row is committed: one that was rolled back may come again as another value. */
export function keepName(account: Account, ref: number, { index, fingerprint }: ValueName): void {
  account.valueNames.set(ref, { index, fingerprint });
  const [oldest] = account.valueNames.keys();
  if (account.valueNames.size > mostKept && oldest !== undefined) account.valueNames.delete(oldest);
}

/** The name of a stored value, unsealed only where it is not kept; null where there is no such value. */
export function nameOfValue(account: Account, ref: number, view: View): ValueName | null {
  const kept = account.valueNames.get(ref);
  if (kept !== undefined) return kept;
  const row = view.get(tables.value, valueId(account.id, ref));
  if (row === null) return null;
  const { index, fingerprint, fields } = decodeValue(row);
  for (const { value } of fields) value.fill(0);
  row.fill(0);
  return { index, fingerprint };
}
