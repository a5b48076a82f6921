import { TidegateError } from "../base/index.ts";

export const SEAL_CODES = {
  /** It does not open: damaged, for another key or from another context. One code, so that a prober learns nothing from it. */
  SEAL_OPEN_FAILED: { fault: "peer", retryable: false },
  /** More plaintext than a sealed body may hold. */
  SEAL_TOO_LARGE: { fault: "caller", retryable: false },
} as const;

/** A body that cannot be sealed, or does not open. */
export class SealError extends TidegateError<keyof typeof SEAL_CODES> {
  constructor(code: keyof typeof SEAL_CODES, message: string) {
    super(SEAL_CODES, code, message);
  }
}
