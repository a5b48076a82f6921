import { TidegateError } from "../protocol/base/index.ts";

export const EDGE_CODES = {
  /** The edge knows no device of this path. */
  EDGE_UNKNOWN_DEVICE: { fault: "caller", retryable: false },
  /** No hold was set on this segment: one of the vault ends there. */
  EDGE_NOT_HELD_HERE: { fault: "operator", retryable: false },
  /** The edge knows no account of this path. */
  EDGE_UNKNOWN_ACCOUNT: { fault: "caller", retryable: false },
  /** The account's values are held in memory only: no login is made with them here. */
  EDGE_MEMORY_ONLY: { fault: "operator", retryable: false },
} as const;

export class EdgeError extends TidegateError<keyof typeof EDGE_CODES> {
  constructor(code: keyof typeof EDGE_CODES, message: string) {
    super(EDGE_CODES, code, message);
  }
}
