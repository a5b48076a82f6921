import { everyRow } from "../../agent/node/index.ts";
import type { View } from "../../agent/store/index.ts";
import { assert, encodeTcbor } from "../../protocol/base/index.ts";
import { candidateOf, type EscrowedAccount, type RotationState } from "../../protocol/rotation/index.ts";
import { decodeRecord, decodeValue, tables, valueId } from "./record.ts";

/** An account whose candidates changed, with the row that says which they are. */
interface DueAccount {
  readonly id: Uint8Array;
  readonly row: Uint8Array;
}

/** The row that tells one set of candidates from another. */
export function escrowRow(state: RotationState): Uint8Array {
  return encodeTcbor(state.candidates.map(({ ref }) => ref));
}

/** Accounts whose candidates changed since the vault acknowledged them. */
export function dueAccounts(view: View): DueAccount[] {
  return [...everyRow(view, tables.escrow)].map(({ id, value }) => ({ id, row: value }));
}

/** Every account. */
export function allDue(view: View): DueAccount[] {
  return [...everyRow(view, tables.account)].map(({ id, value }) => ({ id, row: escrowRow(decodeRecord(value).state) }));
}

/** The live candidates of an account, and its pool: a restored vault may know neither. The caller wipes their fields. */
export function escrowedAccount(view: View, accountId: Uint8Array): EscrowedAccount {
  const row = view.get(tables.account, accountId);
  assert(row !== null, "an account with candidates has a record");
  const { state } = decodeRecord(row);
  const refs = new Set([...state.candidates, ...state.pool].map(({ ref }) => ref));
  const values = [...refs].map((ref) => {
    const value = view.get(tables.value, valueId(accountId, ref));
    assert(value !== null, "a candidate's value is stored");
    const decoded = decodeValue(value);
    value.fill(0);
    return decoded;
  });
  const current = candidateOf(state, state.current)?.index;
  assert(current !== undefined, "the current value is a candidate");
  return { accountId, current, values };
}
