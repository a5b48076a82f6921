import { asBytes, asList, asTuple, asUint, decodeTcbor, encodeTcbor, type Tcbor } from "../base/index.ts";
import { type Fields, fieldsFromTcbor, fieldsToTcbor } from "../content/index.ts";
import { maxCandidates, maxPool } from "./limits.ts";
import type { CandidateIndex } from "./state.ts";

/** A value that may be live, with what the ledger needs to know it by. */
export interface EscrowedValue {
  readonly index: CandidateIndex;
  /** 32 bytes. */
  readonly fingerprint: Uint8Array;
  readonly fields: Fields;
}

/** All live candidates of one account. */
export interface EscrowedAccount {
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  /** The one last proven live, adopted or given. */
  readonly current: CandidateIndex;
  /** In the order to try. */
  readonly values: readonly EscrowedValue[];
}

const maxAccounts = 100_000;

/** What an escrow blob seals: `[[accountId, [epoch, number], [[[epoch, number], fingerprint, fields], …]], …]`. The caller wipes it. */
export function encodeEscrowList(accounts: readonly EscrowedAccount[]): Uint8Array {
  return encodeTcbor(
    accounts.map(
      ({ accountId, current, values }): Tcbor => [
        accountId,
        current,
        values.map(({ index, fingerprint, fields }): Tcbor => [index, fingerprint, fieldsToTcbor(fields)]),
      ],
    ),
  );
}

/** Inverse of {@link encodeEscrowList}. Throws TCBOR_MALFORMED, TCBOR_SHAPE. */
export function decodeEscrowList(bytes: Uint8Array): EscrowedAccount[] {
  return asList(decodeTcbor(bytes), "escrow", maxAccounts).map((account) => {
    const [accountId, current, values] = asTuple(account, "escrow.account", 3);
    return {
      accountId: asBytes(accountId, "escrow.accountId", 16),
      current: readIndex(current),
      values: asList(values, "escrow.values", maxCandidates + maxPool).map(readValue),
    };
  });
}

function readValue(value: Tcbor): EscrowedValue {
  const [index, fingerprint, fields] = asTuple(value, "escrow.value", 3);
  return {
    index: readIndex(index),
    fingerprint: asBytes(fingerprint, "escrow.fingerprint", 32),
    fields: fieldsFromTcbor(fields, "escrow.fields"),
  };
}

function readIndex(value: Tcbor | undefined): CandidateIndex {
  const [epoch, number] = asTuple(value, "escrow.index", 2);
  return [asUint(epoch, "escrow.index.epoch"), asUint(number, "escrow.index.number")];
}
