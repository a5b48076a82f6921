import { TidegateError } from "../protocol/base/index.ts";

export const GATEWAY_CODES = {
  /** The vault did not answer a join in time; the same request may be sent again. */
  GATEWAY_JOIN_TIMEOUT: { fault: "environment", retryable: true },
  /** The vault refused a join request. */
  GATEWAY_JOIN_REFUSED: { fault: "peer", retryable: false },
  /** As many joins wait as this gateway takes. */
  GATEWAY_JOIN_BUSY: { fault: "environment", retryable: true },
  /** An item that may not pass here: from or for a node that this gateway does not speak for. */
  GATEWAY_NOT_FOR_HERE: { fault: "peer", retryable: false },
  /** Two different items bear one number of a stream. */
  GATEWAY_ITEM_FORK: { fault: "peer", retryable: false },
  /** The mailbox has no room until its recipient acknowledges something. */
  GATEWAY_MAILBOX_FULL: { fault: "environment", retryable: true },
} as const;

export class GatewayError extends TidegateError<keyof typeof GATEWAY_CODES> {
  constructor(code: keyof typeof GATEWAY_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(GATEWAY_CODES, code, message, options);
  }
}
