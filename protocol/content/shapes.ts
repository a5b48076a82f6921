import { asText, asUint, type Tcbor, TcborError } from "../base/index.ts";
import { ContentError } from "./errors.ts";
import { contentLimits } from "./limits.ts";

/**
 * A text of `least` to `max` bytes without control characters; throws TCBOR_SHAPE naming `at`. Decoded text never has any,
 * but what an operator typed comes through here before it is encoded.
 */
export function asWord(value: Tcbor | undefined, at: string, max: number, least = 1): string {
  const text = asText(value, at, max);
  if (text.length < least) throw new TcborError("TCBOR_SHAPE", `${at}: empty`);
  if (!text.isWellFormed() || hasControl(text)) throw new TcborError("TCBOR_SHAPE", `${at}: control character in text`);
  return text;
}

/** A name of 1 to 128 bytes; throws TCBOR_SHAPE naming `at`. */
export function asName(value: Tcbor | undefined, at: string): string {
  return asWord(value, at, contentLimits.nameBytes);
}

/** The word that stands for a number: its place in `words`. Throws TCBOR_SHAPE naming `at`. */
export function asOneOf<Word extends string>(value: Tcbor | undefined, at: string, words: readonly Word[]): Word {
  return words[asUint(value, at, words.length - 1)] as Word;
}

/** A text that `parse` accepts; what it refuses is TCBOR_SHAPE naming `at`. */
export function inTcbor(value: Tcbor | undefined, at: string, parse: (text: string) => unknown): string {
  const text = asWord(value, at, 5 * (contentLimits.segmentBytes + 1));
  try {
    parse(text);
    return text;
  } catch (cause) {
    if (cause instanceof ContentError) throw new TcborError("TCBOR_SHAPE", `${at}: ${cause.message}`);
    throw cause;
  }
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) < 0x20) return true;
  return false;
}
