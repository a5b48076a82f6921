import { TidegateError } from "../base/index.ts";

export const AUDIT_CODES = {
  /** A leaf is not the one canonical spelling of a leaf. */
  AUDIT_LEAF_MALFORMED: { fault: "peer", retryable: false },
  /** An event does not fit into a leaf. */
  AUDIT_LEAF_TOO_LARGE: { fault: "caller", retryable: false },
  /** Stored tree state, or the leaves and tiles it must agree with, do not fit together. */
  AUDIT_STATE_MALFORMED: { fault: "peer", retryable: false },
  /** A tile's path is not one that tlog-tiles defines. */
  AUDIT_TILE_PATH: { fault: "peer", retryable: false },
  /** A hash tile or an entry bundle does not hold what its path says. */
  AUDIT_TILE_MALFORMED: { fault: "peer", retryable: false },
  /** A log origin is not one of ours. */
  AUDIT_ORIGIN_MALFORMED: { fault: "peer", retryable: false },
  /** A signed note or the checkpoint in it is not exactly as C2SP spells it. */
  AUDIT_CHECKPOINT_MALFORMED: { fault: "peer", retryable: false },
  /** A checkpoint lacks a signature that it needs, or one by a known key does not verify. */
  AUDIT_CHECKPOINT_UNSIGNED: { fault: "peer", retryable: false },
  /** An inclusion or consistency proof does not lead to the root. */
  AUDIT_PROOF_INVALID: { fault: "peer", retryable: false },
} as const;

/** What is wrong with bytes of an audit log. */
export class AuditError extends TidegateError<keyof typeof AUDIT_CODES> {
  constructor(code: keyof typeof AUDIT_CODES, message: string) {
    super(AUDIT_CODES, code, message);
  }
}
