import nacl from "tweetnacl";
import { concat, u64be, utf8 } from "../base/index.ts";
import { chunkBytes } from "./limits.ts";

const tagBytes = nacl.secretbox.overheadLength;
const noncePrefix = concat(utf8("tg1.body"), new Uint8Array(7));

/** Bytes that {@link boxChunks} makes of `length` bytes. */
export function boxedLength(length: number): number {
  return length + Math.ceil(length / chunkBytes) * tagBytes;
}

/** Secretbox (XSalsa20-Poly1305, tag first) of each 65,536 bytes of `padded`, one after the other. */
export function boxChunks(padded: Uint8Array, key: Uint8Array): Uint8Array {
  const out = new Uint8Array(boxedLength(padded.length));
  const count = Math.ceil(padded.length / chunkBytes);
  for (let index = 0; index < count; index += 1) {
    const part = padded.subarray(index * chunkBytes, (index + 1) * chunkBytes);
    out.set(nacl.secretbox(part, nonceOf(index, index === count - 1), key), index * (chunkBytes + tagBytes));
  }
  return out;
}

/** Inverse of {@link boxChunks}; null where any chunk fails, is missing or is one too many. Wipes what it had opened then. */
export function unboxChunks(boxed: Uint8Array, key: Uint8Array): Uint8Array | null {
  const stride = chunkBytes + tagBytes;
  const count = Math.ceil(boxed.length / stride);
  if (count === 0 || boxed.length - (count - 1) * stride <= tagBytes) return null;
  const out = new Uint8Array(boxed.length - count * tagBytes);
  for (let index = 0; index < count; index += 1) {
    const part = boxed.subarray(index * stride, (index + 1) * stride);
    const opened = nacl.secretbox.open(part, nonceOf(index, index === count - 1), key);
    if (opened === null) {
      out.fill(0);
      return null;
    }
    out.set(opened, index * chunkBytes);
    opened.fill(0);
  }
  return out;
}

/** 24 bytes: "tg1.body" ‖ 7 × 00 ‖ u64be(index) ‖ 01 for the last chunk, else 00. Fixed nonces are safe: each key is used once. */
function nonceOf(index: number, last: boolean): Uint8Array {
  return concat(noncePrefix, u64be(index), Uint8Array.of(last ? 1 : 0));
}
