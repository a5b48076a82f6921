import type { ValueConstraints } from "./model.ts";

/**
 * Why `value` (UTF-8) cannot be a new secret of this field, or null where it can. The reason names the rule, never a
 * character of the value.
 */
export function valueProblem(constraints: ValueConstraints, value: Uint8Array): string | null {
  if (value.length < constraints.minLength) return `shorter than ${constraints.minLength}`;
  if (value.length > constraints.maxLength) return `longer than ${constraints.maxLength}`;
  const allowed = codes(constraints.alphabet);
  // An alphabet is ASCII, so a byte is a character and anything longer is outside of it.
  if (value.some((byte) => !allowed.has(byte))) return "a character outside of the alphabet";
  for (const set of constraints.require) {
    const wanted = codes(set);
    if (!value.some((byte) => wanted.has(byte))) return `no character of ${set}`;
  }
  if (constraints.forbiddenWords.some((word) => sameWord(word, value))) return "a forbidden word";
  return constraints.kind === "number" ? numberProblem(constraints, value) : null;
}

function numberProblem(constraints: ValueConstraints, value: Uint8Array): string | null {
  if (value.length > 1 && value[0] === 0x30) return "a number with a leading zero";
  const number = value.reduce((left, byte) => left * 10 + (byte - 0x30), 0);
  if (number < (constraints.min ?? 0)) return `a number below ${constraints.min}`;
  return number > (constraints.max ?? 0) ? `a number above ${constraints.max}` : null;
}

function codes(text: string): ReadonlySet<number> {
  return new Set(Buffer.from(text, "utf8"));
}

function sameWord(word: string, value: Uint8Array): boolean {
  const bytes = Buffer.from(word, "utf8");
  return bytes.length === value.length && bytes.every((byte, index) => fold(byte) === fold(value[index] ?? 0));
}

/** ASCII letters in lower case: devices that know the word `DISABLE` know `disable`. */
function fold(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
