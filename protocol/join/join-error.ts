import { TidegateError } from "../base/index.ts";

export const JOIN_CODES = {
  /** The text is no enrolment code. */
  JOIN_CODE_MALFORMED: { fault: "operator", retryable: false },
  /** An enrolment code of a format that this version does not know. */
  JOIN_CODE_VERSION: { fault: "operator", retryable: false },
  /** An enrolment code with a character wrong or missing. */
  JOIN_CODE_CHECKSUM: { fault: "operator", retryable: false },
  /** The payload is no join request. */
  JOIN_MALFORMED: { fault: "peer", retryable: false },
  /** The request was not made with this code's secret, or a field was changed on the way. */
  JOIN_MAC: { fault: "peer", retryable: false },
  /** The request is for another vault, or names another root than the code does. */
  JOIN_ROOT: { fault: "peer", retryable: false },
  /** Name or role differ from what was enrolled. */
  JOIN_NOT_AS_ENROLLED: { fault: "peer", retryable: false },
} as const;

/** An enrolment code or a join request that is refused. */
export class JoinError extends TidegateError<keyof typeof JOIN_CODES> {
  constructor(code: keyof typeof JOIN_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(JOIN_CODES, code, message, options);
  }
}
