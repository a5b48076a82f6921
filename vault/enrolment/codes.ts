import { TidegateError } from "../../protocol/base/index.ts";

export const ENROL_CODES = {
  /** No code of that id was ever given out, or its record was removed. */
  ENROL_CODE_UNKNOWN: { fault: "peer", retryable: false },
  /** The code's time is over, by the vault's clock. */
  ENROL_CODE_EXPIRED: { fault: "operator", retryable: false },
  /** The code was used by another join request. */
  ENROL_CODE_USED: { fault: "peer", retryable: false },
  /** The join request came without the public key that its TLS key hash names. */
  ENROL_TLS_KEY: { fault: "peer", retryable: false },
  /** The request names a node to replace that is not the one of that name. */
  ENROL_REPLACES: { fault: "operator", retryable: false },
  /** The key of the request already belongs to a node. */
  ENROL_NODE_KNOWN: { fault: "peer", retryable: false },
} as const;

export class EnrolError extends TidegateError<keyof typeof ENROL_CODES> {
  constructor(code: keyof typeof ENROL_CODES, message: string, hint?: string) {
    super(ENROL_CODES, code, message, hint === undefined ? {} : { hint });
  }
}
