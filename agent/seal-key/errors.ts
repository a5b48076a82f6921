import { TidegateError } from "../../protocol/base/index.ts";

export const SEAL_KEY_CODES = {
  /** The passphrase or key file is not the one, or the sealed key was altered: which of them is never said. */
  SEAL_KEY_REFUSED: { fault: "operator", retryable: false },
  /** There is no sealed key: the node was never set up here. */
  SEAL_KEY_MISSING: { fault: "operator", retryable: false },
  /** There is a sealed key already; it is never overwritten. */
  SEAL_KEY_EXISTS: { fault: "operator", retryable: false },
  /** The key file cannot be used: unreadable, too short, too long; or it, or a passphrase file, is open to others. */
  SEAL_KEY_FILE: { fault: "operator", retryable: false },
  /** A new passphrase is so short that it can be guessed. */
  SEAL_KEY_WEAK: { fault: "operator", retryable: false },
} as const;

export class SealKeyError extends TidegateError<keyof typeof SEAL_KEY_CODES> {
  constructor(code: keyof typeof SEAL_KEY_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(SEAL_KEY_CODES, code, message, options);
  }
}
