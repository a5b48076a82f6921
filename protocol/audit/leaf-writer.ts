import { maxLeafBytes } from "./limits.ts";

/** Characters that a leaf has as they are: printable ASCII but for quote and backslash. */
const plain = Uint8Array.from({ length: 128 }, (_, code) =>
  Number(code >= 0x20 && code < 0x7f && code !== 0x22 && code !== 0x5c),
);

/** Room for leaves is made for so many bytes at most, and at least for one leaf. */
const chunkBytes = 64 * 1024;
const usualLeafBytes = 512;

/** Up to here copying byte by byte takes less than a call does. */
const fewBytes = 16;

/** From here on a number is not written digit by digit: the tenth of a large one is not exact. */
export const notSmall = 2 ** 31;
const zero = 0x30;

/** Writes leaves one behind another, byte by byte, where text would be put together and copied. */
export class LeafWriter {
  #bytes: Uint8Array;
  /** Where the leaf before begins; null where it is not in these bytes. */
  #before: number | null = null;
  #begin = 0;
  #at = 0;

  /** For about so many leaves. */
  constructor(leaves: number) {
    this.#bytes = chunkFor(leaves);
  }

  /** Bytes of the leaf so far. */
  get length(): number {
    return this.#at - this.#begin;
  }

  /** Begins the next leaf, one of at least so many to come; what was written and not taken is written over. */
  begin(leaves: number): void {
    if (this.#bytes.length - this.#begin < maxLeafBytes) {
      this.#bytes = chunkFor(leaves);
      this.#before = null;
      this.#begin = 0;
    }
    this.#at = this.#begin;
  }

  /** Begins it as the one before it began, with that one's first `length` bytes. False where that one is not at hand. */
  repeat(length: number): boolean {
    if (this.#before === null) return false;
    this.#bytes.copyWithin(this.#begin, this.#before, this.#before + length);
    this.#at = this.#begin + length;
    return true;
  }

  /** The leaf that was written, a view. */
  take(): Uint8Array {
    const leaf = this.#bytes.subarray(this.#begin, this.#at);
    this.#before = this.#begin;
    this.#begin = this.#at;
    return leaf;
  }

  /** Bytes that need no look. */
  constant(bytes: Uint8Array): void {
    const { length } = bytes;
    const [to, at] = [this.#bytes, this.#at];
    if (length > fewBytes) to.set(bytes, at);
    else for (let i = 0; i < length; i += 1) to[at + i] = bytes[i] as number;
    this.#at = at + length;
  }

  /** False where `text` is longer than `most` characters or has one that needs an escape. */
  text(text: string, most: number): boolean {
    const { length } = text;
    if (length > most) return false;
    const bytes = this.#bytes;
    const at = this.#at;
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i);
      if (plain[code] !== 1) return false;
      bytes[at + i] = code;
    }
    this.#at = at + length;
    return true;
  }

  /** False where `value` is no unsigned integer up to 2^53 - 1. */
  uint(value: number): boolean {
    if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) return false;
    if (value >= notSmall) return this.text(`${value}`, maxLeafBytes);
    this.#at += digitsOf(value);
    this.#digits(value, this.#at);
    return true;
  }

  /** Writes an unsigned integer below {@link notSmall} over one of as many digits, which ends at byte `end` of the leaf. */
  uintOver(value: number, end: number): void {
    this.#digits(value, this.#begin + end);
  }

  #digits(value: number, end: number): void {
    let rest = value;
    for (let at = end - 1; ; at -= 1) {
      const tenth = Math.trunc(rest / 10);
      this.#bytes[at] = zero + rest - 10 * tenth;
      if (tenth === 0) return;
      rest = tenth;
    }
  }
}

/** Decimal digits of an unsigned integer. */
export function digitsOf(value: number): number {
  let digits = 1;
  for (let least = 10; least <= value; least *= 10) digits += 1;
  return digits;
}

function chunkFor(leaves: number): Uint8Array {
  return Buffer.allocUnsafeSlow(maxLeafBytes + Math.min(leaves * usualLeafBytes, chunkBytes));
}
