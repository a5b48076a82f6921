import { TidegateError } from "../../protocol/base/index.ts";

export const RECOVER_CODES = {
  /** The attempt budget of this window is spent, or the edge may have spent it: no login may leave yet. */
  RECOVER_WAIT: { fault: "environment", retryable: true },
  /** The account's edge lives, as far as anybody can say: two that log in would share one lockout. */
  RECOVER_EDGE_ALIVE: { fault: "operator", retryable: false },
  /** The device locks out after two or fewer wrong logins, or its model cannot be used: nothing is tried. */
  RECOVER_NOT_ALLOWED: { fault: "operator", retryable: false },
  /** The device cannot be reached, or is another one than the pinned: nothing was spent. */
  RECOVER_UNREACHABLE: { fault: "environment", retryable: true },
  /** No candidate logged in. */
  RECOVER_NONE: { fault: "environment", retryable: false },
} as const;

export class RecoverError extends TidegateError<keyof typeof RECOVER_CODES> {
  constructor(code: keyof typeof RECOVER_CODES, message: string, options: { hint?: string } = {}) {
    super(RECOVER_CODES, code, message, options);
  }
}
