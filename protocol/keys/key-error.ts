import { TidegateError } from "../base/index.ts";

export const KEY_CODES = {
  /** Not an encoding of a key of the algorithm that this place asks for. */
  KEY_MALFORMED: { fault: "peer", retryable: false },
  /** A public key under which anybody can make signatures or know the secret: a small-order point, or one written in a second way. */
  KEY_WEAK: { fault: "peer", retryable: false },
} as const;

/** A key from outside that is refused. */
export class KeyError extends TidegateError<keyof typeof KEY_CODES> {
  constructor(code: keyof typeof KEY_CODES, message: string, cause?: unknown) {
    super(KEY_CODES, code, message, { cause });
  }
}
