import { TidegateError } from "../../protocol/base/index.ts";

export const CUSTODY_CODES = {
  /** A write or read of a medium was not begun here, has ended, or was forgotten for newer ones. */
  CUSTODY_SESSION: { fault: "caller", retryable: false },
  /** A file holds another item than its name and the manifest say, or one that was not asked for. */
  CUSTODY_WRONG_ITEM: { fault: "peer", retryable: false },
} as const;

export class CustodyError extends TidegateError<keyof typeof CUSTODY_CODES> {
  constructor(code: keyof typeof CUSTODY_CODES, message: string) {
    super(CUSTODY_CODES, code, message);
  }
}
