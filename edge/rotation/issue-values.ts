import type { Store } from "../../agent/store/index.ts";
import { type Candidate, type RotationInputs, step } from "../../protocol/rotation/index.ts";
import type { Account } from "./account.ts";
import { type AccountRecord, encodeRecord, encodeValue, type StoredValue, tables, valueId } from "./record.ts";
import { keepName } from "./value-names.ts";

/** A value of the vault for an account's pool. */
export interface IssuedValue {
  readonly account: Account;
  readonly stored: StoredValue;
}

/** The machine's name for a stored value. */
export function candidateOfValue(ref: number, { index }: StoredValue): Candidate {
  return { ref, index };
}

/** Puts values into their accounts' pools, all in one transaction: a new edge takes thousands at once. Throws STORE_*. */
export function issueValues(values: readonly IssuedValue[], store: Store, inputs: (account: Account) => RotationInputs): void {
  const records = new Map<Account, AccountRecord>();
  const taken: { readonly account: Account; readonly ref: number; readonly stored: StoredValue }[] = [];
  for (const { account, stored } of values) {
    const record = records.get(account) ?? account.record;
    const ref = record.nextRef;
    const candidate = candidateOfValue(ref, stored);
    const { state, effects } = step(record.state, { kind: "issued", candidate }, inputs(account));
    if (effects.some(({ kind }) => kind === "refuse")) account.owed = true;
    if (state === record.state) continue;
    records.set(account, { ...record, state, nextRef: ref + 1 });
    taken.push({ account, ref, stored });
  }
  if (records.size === 0) return;
  store.transaction((tx) => {
    for (const { account, ref, stored } of taken) tx.put(tables.value, valueId(account.id, ref), encodeValue(stored));
    for (const [account, record] of records) tx.put(tables.account, account.id, encodeRecord(record));
  });
  for (const [account, record] of records) account.record = record;
  for (const { account, ref, stored } of taken) keepName(account, ref, stored);
}
