import { assert } from "../base/index.ts";
import { AuditError } from "./errors.ts";
import { maxLeafBytes, tileWidth } from "./limits.ts";

/** An entry bundle by C2SP tlog-tiles: each leaf behind its length as two bytes, big endian. 1 to 256 leaves. */
export function encodeEntryBundle(leaves: readonly Uint8Array[]): Uint8Array {
  assert(leaves.length > 0 && leaves.length <= tileWidth, "an entry bundle holds 1 to 256 leaves");
  const out = Buffer.allocUnsafe(leaves.reduce((sum, leaf) => sum + 2 + leaf.length, 0));
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
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0);
    if (at + 2 + length > bytes.length) throw malformed("an entry bundle ends within an entry");
    if (length > maxLeafBytes) throw malformed(`an entry of ${length} bytes`);
    leaves.push(bytes.subarray(at + 2, at + 2 + length));
    if (leaves.length > tileWidth) throw malformed("an entry bundle of more than 256 entries");
    at += 2 + length;
  }
  if (leaves.length === 0) throw malformed("an empty entry bundle");
  return leaves;
}

function malformed(why: string): AuditError {
  return new AuditError("AUDIT_TILE_MALFORMED", why);
}
