import { timingSafeEqual } from "node:crypto";
import { assert } from "./assert.ts";

/** Source of random bytes; the only one the protocol may draw from, handed in so that a run can be replayed. */
export type Random = (length: number) => Uint8Array;

const encoder = new TextEncoder();

/** UTF-8 bytes of `text`. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** One new array holding all `parts` in order. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** True where both hold the same bytes. Not constant in time: for public values. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** True where both hold the same bytes; time depends on the length only. For MACs, tags and tokens. */
export function sameSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Order of unsigned bytes, as `memcmp`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** Four bytes, big endian. */
export function u32be(value: number): Uint8Array {
  assert(Number.isInteger(value) && value >= 0 && value <= 0xffffffff, "u32be range");
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Eight bytes, big endian; `value` is at most 2^53 - 1. */
export function u64be(value: number): Uint8Array {
  assert(Number.isSafeInteger(value) && value >= 0, "u64be range");
  const high = Math.floor(value / 0x100000000);
  return Uint8Array.of(high >>> 24, high >>> 16, high >>> 8, high, value >>> 24, value >>> 16, value >>> 8, value);
}

/** `lp(x)` of SPEC.md: the length as four bytes, big endian, then the bytes. */
export function lengthPrefixed(bytes: Uint8Array): Uint8Array {
  return concat(u32be(bytes.length), bytes);
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/** Bytes of an even-length hexadecimal string, or null where it is not one. */
export function fromHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return null;
  return new Uint8Array(Buffer.from(text, "hex"));
}

const base32Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** RFC 4648 base32, lower case, without padding: node ids in names, file names and log origins. */
export function toBase32(bytes: Uint8Array): string {
  let out = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      out += base32Alphabet[(value >>> (bits - 5)) & 31];
      bits -= 5;
    }
    value &= (1 << bits) - 1;
  }
  if (bits > 0) out += base32Alphabet[(value << (5 - bits)) & 31];
  return out;
}

/** Inverse of {@link toBase32}, upper case accepted; null where the text is not canonical base32. */
export function fromBase32(text: string): Uint8Array | null {
  const out: number[] = [];
  let bits = 0;
  let value = 0;
  for (const char of text.toLowerCase()) {
    const digit = base32Alphabet.indexOf(char);
    if (digit < 0) return null;
    value = (value << 5) | digit;
    bits += 5;
    if (bits >= 8) {
      out.push((value >>> (bits - 8)) & 0xff);
      bits -= 8;
      value &= (1 << bits) - 1;
    }
  }
  const bytes = Uint8Array.from(out);
  return value === 0 && bits < 5 && toBase32(bytes) === text.toLowerCase() ? bytes : null;
}
