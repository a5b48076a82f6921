import { TidegateError } from "../../protocol/base/index.ts";

export const RECOVERY_CODES = {
  /** The root that was given is no new one. */
  RECOVERY_ROOT: { fault: "operator", retryable: false },
  /** There is no such escrow. */
  RECOVERY_ESCROW: { fault: "operator", retryable: false },
} as const;

export class RecoveryError extends TidegateError<keyof typeof RECOVERY_CODES> {
  constructor(code: keyof typeof RECOVERY_CODES, message: string, options: { hint?: string } = {}) {
    super(RECOVERY_CODES, code, message, options);
  }
}
