import { TidegateError } from "../base/index.ts";

export const COURIER_CODES = {
  /** An item part, hop acknowledgement or credit that does not have its shape. */
  COURIER_MALFORMED: { fault: "peer", retryable: false },
  /** More sent than credit was given for, or credit taken back or given without bound. */
  COURIER_CREDIT: { fault: "peer", retryable: false },
  /** A part that does not follow the one before, or too many items begun at once. */
  COURIER_ORDER: { fault: "peer", retryable: false },
  /** An acknowledgement of something that was not sent. */
  COURIER_UNEXPECTED: { fault: "peer", retryable: false },
} as const;

/** The peer broke the transport of items; the session ends. */
export class CourierError extends TidegateError<keyof typeof COURIER_CODES> {
  constructor(code: keyof typeof COURIER_CODES, message: string, cause?: unknown) {
    super(COURIER_CODES, code, message, { cause });
  }
}
