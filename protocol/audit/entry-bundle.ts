import { assert } from "../base/index.ts";
import { AuditError } from "./errors.ts";
import { maxLeafBytes, tileWidth } from "./limits.ts";

/**
 * An entry bundle by C2SP tlog-tiles: each leaf behind its length as two bytes, big endian. 1 to 256 leaves. A view of `room` where that is given and
 * large enough.
 */
export function encodeEntryBundle(leaves: readonly Uint8Array[], room?: Buffer): Uint8Array {
  assert(leaves.length > 0 && leaves.length <= tileWidth, "an entry bundle holds 1 to 256 leaves");
  const length = leaves.reduce((sum, leaf) => sum + 2 + leaf.length, 0);
  const out = room === undefined || room.length < length ? Buffer.allocUnsafe(length) : room.subarray(0, length);
  let at = 0;
  for (const leaf of leaves) {
    at = out.writeUInt16BE(leaf.length, at);
    out.set(leaf, at);
    at += leaf.length;
  }
  return out;
}

/** Leaves of an entry bundle, as views of `bytes`. Throws AUDIT_TILE_MALFORMED where it is cut, too long or holds more than 256. */
export function decodeEntryBundle(bytes: Uint8Array): Uint8Array[] {
  const { leaves, rest } = splitEntryBundle(bytes);
  if (rest.length > 0) throw malformed("an entry bundle that is cut, holds an entry that is too long or more than 256");
  if (leaves.length === 0) throw malformed("an empty entry bundle");
  return leaves;
}

/** As {@link decodeEntryBundle} for bytes that somebody may have damaged: the leaves up to the damage, and the rest from there on. */
export function splitEntryBundle(bytes: Uint8Array): { readonly leaves: Uint8Array[]; readonly rest: Uint8Array } {
  const leaves: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && leaves.length < tileWidth) {
    const length = ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0);
    if (at + 2 + length > bytes.length || length > maxLeafBytes) break;
    leaves.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return { leaves, rest: bytes.subarray(at) };
}

function malformed(why: string): AuditError {
  return new AuditError("AUDIT_TILE_MALFORMED", why);
}
