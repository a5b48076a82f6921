const classes = new Uint8Array(256);

/** Sets of characters of the leaf's grammar, SPEC.md section 15.1; a byte may be in several. */
export const charset = {
  /** What stands in a string as itself: printable, neither quote nor backslash. */
  plain: 1,
  lower: 2,
  /** Of a kind, behind its first letter. */
  kind: 4,
  /** Of a detail's name, behind its first letter. */
  field: 8,
  upper: 16,
  /** Of an error code, behind its first letter. */
  code: 32,
  base32: 64,
} as const;

const members: Readonly<Record<keyof typeof charset, RegExp>> = {
  plain: /[\x20\x21\x23-\x5b\x5d-\x7e]/,
  lower: /[a-z]/,
  kind: /[a-z0-9-]/,
  field: /[A-Za-z0-9]/,
  upper: /[A-Z]/,
  code: /[A-Z0-9_]/,
  base32: /[a-z2-7]/,
};
for (const [name, pattern] of Object.entries(members)) {
  for (let byte = 0; byte < 0x80; byte += 1)
    if (pattern.test(String.fromCharCode(byte))) classes[byte] = (classes[byte] ?? 0) | charset[name as keyof typeof charset];
}

/** Digits of a number that is read without a check of its size: below 2^53. */
const maxDigits = 15;

/** Reads a leaf's bytes from left to right. What does not match is not taken, and no more is read behind it. */
export class LeafCursor {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** Begins with other bytes. */
  open(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  get at(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** True where these bytes come next; takes none. */
  shows(expected: Uint8Array): boolean {
    const bytes = this.#bytes;
    const from = this.#at;
    for (let i = 0; i < expected.length; i += 1) if (bytes[from + i] !== expected[i]) return false;
    return true;
  }

  /** Takes exactly these bytes. */
  fixed(expected: Uint8Array): boolean {
    if (!this.shows(expected)) return false;
    this.#at += expected.length;
    return true;
  }

  /** Takes a number of at most 15 digits; -1 where there is none. */
  uint(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let value = digit(bytes[at]);
    if (value < 0) return -1;
    at += 1;
    const end = value === 0 ? at : this.#at + maxDigits;
    for (; at < end; at += 1) {
      const next = digit(bytes[at]);
      if (next < 0) break;
      value = value * 10 + next;
    }
    this.#at = at;
    return value;
  }

  /** Takes all that follows of a set; false where that is more than `most`. */
  run(set: number, most: number): boolean {
    const bytes = this.#bytes;
    const end = Math.min(bytes.length, this.#at + most);
    let at = this.#at;
    while (at < end && ((classes[bytes[at] as number] as number) & set) !== 0) at += 1;
    this.#at = at;
    return at === bytes.length || ((classes[bytes[at] as number] as number) & set) === 0;
  }

  /** Takes a name of at most `most` characters, the first of a set of its own. */
  word(first: number, rest: number, most: number): boolean {
    if (((classes[this.#bytes[this.#at] ?? 0] as number) & first) === 0) return false;
    this.#at += 1;
    return this.run(rest, most - 1);
  }

  /** True where the bytes of the first range sort before those of the second. */
  sorts([from, to]: readonly [number, number], [other, end]: readonly [number, number]): boolean {
    const bytes = this.#bytes;
    const length = Math.min(to - from, end - other);
    for (let i = 0; i < length; i += 1) {
      const order = (bytes[from + i] as number) - (bytes[other + i] as number);
      if (order !== 0) return order < 0;
    }
    return to - from < end - other;
  }
}

function digit(byte: number | undefined): number {
  const value = (byte ?? 0) - 0x30;
  return value <= 9 ? value : -1;
}
