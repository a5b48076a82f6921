import { TidegateError } from "../base/index.ts";

export const CLOCK_CODES = {
  /** The time is not known well enough to say whether a window is open. Says nothing about who may do what. */
  CLOCK_UNKNOWN: { fault: "environment", retryable: true },
  /** The window opens later. */
  CLOCK_NOT_YET: { fault: "environment", retryable: true },
  /** The window is over. */
  CLOCK_EXPIRED: { fault: "environment", retryable: false },
  /** A signed time beyond the year 36,000: whoever signed it has no clock. */
  CLOCK_ABSURD: { fault: "peer", retryable: false },
} as const;

/** What depends on the time cannot be done now. */
export class ClockError extends TidegateError<keyof typeof CLOCK_CODES> {
  constructor(code: keyof typeof CLOCK_CODES, message: string) {
    super(CLOCK_CODES, code, message);
  }
}
