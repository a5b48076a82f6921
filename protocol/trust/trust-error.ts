import { TidegateError } from "../base/index.ts";

export const TRUST_CODES = {
  /** The payload of a root, a member statement or a revoked list is not of its format. */
  TRUST_MALFORMED: { fault: "peer", retryable: false },
  /** It belongs to another vault than the one that this node joined. */
  TRUST_OTHER_VAULT: { fault: "peer", retryable: false },
  /** A root without enough valid signatures of the old keys and of its own. */
  TRUST_ROOT_SIGNATURES: { fault: "peer", retryable: false },
  /** A root whose predecessor is not here. */
  TRUST_ROOT_GAP: { fault: "peer", retryable: false },
  /** Two validly signed roots of one version. */
  TRUST_ROOT_FORK: { fault: "peer", retryable: false },
  /** The chain of roots does not hold the root that the enrolment code names. */
  TRUST_ROOT_PIN: { fault: "peer", retryable: false },
  /** A root that lowers the vault epoch or changes the trust domain. */
  TRUST_ROOT_REGRESSION: { fault: "peer", retryable: false },
  /** Signed by a key that the newest root does not name as a bundle signer. */
  TRUST_SIGNER: { fault: "peer", retryable: false },
  /** Two validly signed statements of one serial about one node. */
  TRUST_MEMBER_FORK: { fault: "peer", retryable: false },
  /** A peer shows a statement about itself that was replaced. */
  TRUST_MEMBER_OLD: { fault: "peer", retryable: false },
  /** Two validly signed revoked lists of one version. */
  TRUST_REVOKED_FORK: { fault: "peer", retryable: false },
  /** No statement about this node is here. */
  TRUST_UNKNOWN: { fault: "peer", retryable: false },
  /** The node is on the revoked list. */
  TRUST_REVOKED: { fault: "peer", retryable: false },
  /** More statements at once, or more members, than a node takes. */
  TRUST_TOO_MANY: { fault: "peer", retryable: false },
  /** The stored trust state does not decode. */
  TRUST_DAMAGED: { fault: "environment", retryable: false },
} as const;

/** A statement that is refused, or a node that is not trusted. */
export class TrustError extends TidegateError<keyof typeof TRUST_CODES> {
  constructor(code: keyof typeof TRUST_CODES, message: string, cause?: unknown) {
    super(TRUST_CODES, code, message, { cause });
  }
}
