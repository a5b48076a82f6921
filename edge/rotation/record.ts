import {
  asBytes,
  asBytesUpTo,
  asText,
  asTuple,
  asUint,
  concat,
  decodeTcbor,
  encodeTcbor,
  orNull,
  type Tcbor,
  u32be,
} from "../../protocol/base/index.ts";
import { type Fields, fieldsFromTcbor, fieldsToTcbor } from "../../protocol/content/index.ts";
import { type CandidateIndex, decodeRotation, encodeRotation, type RotationState } from "../../protocol/rotation/index.ts";
import type { Moment } from "./moment.ts";

/** Tables of the edge's store. Values lie apart from states, so that a state can be written without touching a secret. */
export const tables = {
  account: "rotation",
  value: "candidate",
  device: "device",
  order: "order",
  escrow: "escrow",
  group: "group-round",
} as const;

/** What the edge keeps about one account beside the machine's state. */
export interface AccountRecord {
  readonly state: RotationState;
  /** Ref of the next value that comes. */
  readonly nextRef: number;
  /** The request that `prepare` made for the state's `prepared`: sent byte for byte, or never. */
  readonly request: Uint8Array | null;
  readonly lastAttempt: Moment | null;
  readonly lastPush: Moment | null;
  /** Lower bound of the time when the served value became current, seconds since 1970. */
  readonly currentSinceS: number;
  /** True where the served value became current by a rotation here. */
  readonly rotated: boolean;
  /** The order being carried out. */
  readonly orderId: Uint8Array | null;
  /** The device's last code. */
  readonly says: string | null;
  /** When what was verified is proven once more, seconds since 1970; null where it was, or nothing was verified. */
  readonly recheckAtS: number | null;
}

const maxStateBytes = 512 * 1024;
const maxRequestBytes = 16 * 1024;
const maxIdentityBytes = 512;
const maxCodeBytes = 64;

/** The stored row of an account. */
export function encodeRecord(record: AccountRecord): Uint8Array {
  return encodeTcbor([
    encodeRotation(record.state),
    record.nextRef,
    record.request,
    momentToTcbor(record.lastAttempt),
    momentToTcbor(record.lastPush),
    record.currentSinceS,
    record.rotated,
    record.orderId,
    record.says,
    record.recheckAtS,
  ]);
}

/** Inverse of {@link encodeRecord}. Throws TCBOR_* and ROTATION_STATE_MALFORMED. */
export function decodeRecord(bytes: Uint8Array): AccountRecord {
  const tuple = asTuple(decodeTcbor(bytes), "account", 10);
  return {
    state: decodeRotation(asBytesUpTo(tuple[0], "account.state", maxStateBytes)),
    nextRef: asUint(tuple[1], "account.nextRef"),
    request: orNull(tuple[2], (value) => asBytesUpTo(value, "account.request", maxRequestBytes)),
    lastAttempt: orNull(tuple[3], momentFromTcbor),
    lastPush: orNull(tuple[4], momentFromTcbor),
    currentSinceS: asUint(tuple[5], "account.currentSinceS"),
    rotated: tuple[6] === true,
    orderId: orNull(tuple[7], (value) => asBytes(value, "account.orderId", 16)),
    says: orNull(tuple[8], (value) => asText(value, "account.says", maxCodeBytes)),
    recheckAtS: orNull(tuple[9], (value) => asUint(value, "account.recheckAtS")),
  };
}

function momentToTcbor(moment: Moment | null): Tcbor {
  return moment === null ? null : [moment.bootId, moment.sinceBootMs];
}

function momentFromTcbor(value: Tcbor): Moment {
  const [bootId, sinceBootMs] = asTuple(value, "moment", 2);
  return { bootId: asText(bootId, "moment.bootId", 128), sinceBootMs: asUint(sinceBootMs, "moment.sinceBootMs") };
}

/** A value that is or was a candidate; never deleted. */
export interface StoredValue {
  readonly index: CandidateIndex;
  /** 32 bytes. */
  readonly fingerprint: Uint8Array;
  readonly fields: Fields;
}

/** What a value is called by the vault: no secret. */
export type ValueName = Pick<StoredValue, "index" | "fingerprint">;

/** Row id of a value: the account's id, then its ref. */
export function valueId(accountId: Uint8Array, ref: number): Uint8Array {
  return concat(accountId, u32be(ref));
}

/** The stored row of a value. */
export function encodeValue({ index, fingerprint, fields }: StoredValue): Uint8Array {
  return encodeTcbor([index, fingerprint, fieldsToTcbor(fields)]);
}

/** Inverse of {@link encodeValue}; the caller wipes the fields. Throws TCBOR_*. */
export function decodeValue(bytes: Uint8Array): StoredValue {
  const [index, fingerprint, fields] = asTuple(decodeTcbor(bytes), "value", 3);
  const [epoch, number] = asTuple(index, "value.index", 2);
  return {
    index: [asUint(epoch, "value.index"), asUint(number, "value.index")],
    fingerprint: asBytes(fingerprint, "value.fingerprint", 32),
    fields: fieldsFromTcbor(fields, "value.fields"),
  };
}

/** A device's pinned identity; null where its protocol has no such thing. */
export function encodeIdentity(identity: string | null): Uint8Array {
  return encodeTcbor([identity]);
}

/** Inverse of {@link encodeIdentity}. Throws TCBOR_*. */
export function decodeIdentity(bytes: Uint8Array): string | null {
  const [identity] = asTuple(decodeTcbor(bytes), "identity", 1);
  return orNull(identity, (value) => asText(value, "identity", maxIdentityBytes));
}

/** Ref of the value that is served: proven live. Between NEW-OK and VERIFIED that is the new one already. */
export function servedRef(state: RotationState): number {
  return state.next !== null && (state.phase === "NEW-OK" || state.phase === "SAVED") ? state.next : state.current;
}
