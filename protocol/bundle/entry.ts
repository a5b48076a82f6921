import {
  asBytes,
  asBytesUpTo,
  assert,
  asTuple,
  asUint,
  decodeTcbor,
  encodeTcbor,
  orNull,
  type Tcbor,
  TcborError,
  toHex,
} from "../base/index.ts";
import { BundleError, readingAs } from "./errors.ts";
import { bundleLimits } from "./limits.ts";
import { indexFromTcbor, indexToTcbor, type VersionIndex } from "./version-index.ts";

/** When an entry may be acted on, seconds since 1970, both inclusive. Values and revocations have none: they never expire. */
export interface AuthorityWindow {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Names an entry within a state. */
export interface EntryRef {
  /** 0 to 65,535; protocol/content says what each means. */
  readonly type: number;
  /** 16 bytes. */
  readonly id: Uint8Array;
}

export interface EntryFields extends EntryRef {
  readonly index: VersionIndex;
  readonly authority: AuthorityWindow | null;
  /** 16 random bytes, so that no digest of a state can be searched for a short password. */
  readonly salt: Uint8Array;
  /** Opaque here: protocol/content reads it. */
  readonly payload: Uint8Array;
}

/** One unit of a state. Two entries are the same where their `bytes` are. */
export interface Entry extends EntryFields {
  /** {@link entryKey} of this entry. */
  readonly key: string;
  /** The encoded entry: what digests cover and stores keep. */
  readonly bytes: Uint8Array;
}

const highestType = 0xffff;

/** Key of an entry in a state: 36 hexadecimal digits whose text order is the order by (type, id). As bytes, a store's row id. */
export function entryKey(ref: EntryRef): string {
  assert(Number.isInteger(ref.type) && ref.type >= 0 && ref.type <= highestType, "entry type is 16 bits");
  assert(ref.id.length === 16, "entry id is 16 bytes");
  return ref.type.toString(16).padStart(4, "0") + toHex(ref.id);
}

/** Encodes an entry. Throws BUNDLE_ENTRY_TOO_LARGE above 64 KiB; other bad fields are bugs and crash. */
export function makeEntry(fields: EntryFields): Entry {
  const { type, id, index, authority, salt, payload } = fields;
  const key = entryKey(fields);
  assert(salt.length === 16, "entry salt is 16 bytes");
  assert(authority === null || authority.notBefore <= authority.notAfter, "authority window is in order");
  const bytes = encodeTcbor(entryToTcbor(fields));
  checkSize(bytes);
  return { type, id, index, authority, salt, payload, key, bytes };
}

/** Decodes a stored entry. Throws BUNDLE_BODY_SHAPE or BUNDLE_ENTRY_TOO_LARGE. */
export function decodeEntry(bytes: Uint8Array): Entry {
  return readingAs("BUNDLE_BODY_SHAPE", () => entryFromTcbor(decodeTcbor(bytes), "entry"));
}

/** `[type, id, [epoch, number], null | [notBefore, notAfter], salt, payload]`. */
export function entryToTcbor({ type, id, index, authority, salt, payload }: EntryFields): Tcbor {
  const window = authority === null ? null : [authority.notBefore, authority.notAfter];
  return [type, id, indexToTcbor(index), window, salt, payload];
}

/** Inverse of {@link entryToTcbor}; throws TCBOR_SHAPE naming `at`, BUNDLE_ENTRY_TOO_LARGE. */
export function entryFromTcbor(value: Tcbor | undefined, at: string): Entry {
  const [type, id, index, authority, salt, payload] = asTuple(value, at, 6);
  const fields: EntryFields = {
    ...refFields(type, id, at),
    index: indexFromTcbor(index, `${at}.index`),
    authority: orNull(authority, (window) => windowFromTcbor(window, `${at}.authority`)),
    salt: asBytes(salt, `${at}.salt`, 16),
    payload: asBytesUpTo(payload, `${at}.payload`, Number.MAX_SAFE_INTEGER),
  };
  const bytes = encodeTcbor(entryToTcbor(fields));
  checkSize(bytes);
  return { ...fields, key: entryKey(fields), bytes };
}

/** `[type, id]`. */
export function refToTcbor(ref: EntryRef): Tcbor {
  return [ref.type, ref.id];
}

/** Inverse of {@link refToTcbor}; throws TCBOR_SHAPE naming `at`. */
export function refFromTcbor(value: Tcbor | undefined, at: string): EntryRef {
  const [type, id] = asTuple(value, at, 2);
  return refFields(type, id, at);
}

function refFields(type: Tcbor | undefined, id: Tcbor | undefined, at: string): EntryRef {
  return { type: asUint(type, `${at}.type`, highestType), id: asBytes(id, `${at}.id`, 16) };
}

function windowFromTcbor(value: Tcbor, at: string): AuthorityWindow {
  const [first, last] = asTuple(value, at, 2);
  const window = { notBefore: asUint(first, `${at}.notBefore`), notAfter: asUint(last, `${at}.notAfter`) };
  if (window.notBefore > window.notAfter) throw new TcborError("TCBOR_SHAPE", `${at}: ends before it begins`);
  return window;
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length <= bundleLimits.entryBytes) return;
  throw new BundleError("BUNDLE_ENTRY_TOO_LARGE", `entry of ${bytes.length} bytes, at most ${bundleLimits.entryBytes}`);
}
