import { TidegateError } from "../base/index.ts";

export const ENVELOPE_CODES = {
  /** More bytes than an envelope of its type may have. */
  ENVELOPE_TOO_LARGE: { fault: "peer", retryable: false },
  /** Not an envelope: bad encoding, shape, or the order or number of signatures. */
  ENVELOPE_MALFORMED: { fault: "peer", retryable: false },
  /** A type that this version does not know, or not the one that this place asks for. */
  ENVELOPE_TYPE: { fault: "peer", retryable: false },
  /** Not signed by the key that should have signed, or not over these bytes. */
  ENVELOPE_BAD_SIGNATURE: { fault: "peer", retryable: false },
  /** More bytes or more statements than a carrier may have. */
  CARRIER_TOO_LARGE: { fault: "peer", retryable: false },
  /** Not a carrier: bad encoding or shape. */
  CARRIER_MALFORMED: { fault: "peer", retryable: false },
} as const;

/** An envelope or a carrier that is refused before its content is looked at. */
export class EnvelopeError extends TidegateError<keyof typeof ENVELOPE_CODES> {
  constructor(code: keyof typeof ENVELOPE_CODES, message: string, cause?: unknown) {
    super(ENVELOPE_CODES, code, message, { cause });
  }
}
