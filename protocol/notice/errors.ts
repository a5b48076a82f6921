import { TidegateError } from "../base/index.ts";

export const NOTICE_CODES = {
  /** The payload of a notice is not of its format. */
  NOTICE_MALFORMED: { fault: "peer", retryable: false },
  /** Signed by a node that does not own the account: no edge, or the edge of another zone. */
  NOTICE_NOT_OWNER: { fault: "peer", retryable: false },
  /** Alarm: an edge goes over to a value that this gateway was never given. */
  NOTICE_UNKNOWN_VALUE: { fault: "peer", retryable: true },
} as const;

/** A notice that is refused. */
export class NoticeError extends TidegateError<keyof typeof NOTICE_CODES> {
  constructor(code: keyof typeof NOTICE_CODES, message: string, cause?: unknown) {
    super(NOTICE_CODES, code, message, { cause });
  }
}
