import { TidegateError } from "../../protocol/base/index.ts";

export const MASTER_KEY_CODES = {
  /** A sealed column does not open: another master key, another row's bytes, or damage. */
  MASTER_KEY_OPEN_FAILED: { fault: "environment", retryable: false },
} as const;

export class MasterKeyError extends TidegateError<keyof typeof MASTER_KEY_CODES> {
  constructor(code: keyof typeof MASTER_KEY_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(MASTER_KEY_CODES, code, message, options);
  }
}
