import { TidegateError } from "../../protocol/base/index.ts";

export const NODE_CODES = {
  /** The node has not joined a vault yet. */
  NODE_NOT_JOINED: { fault: "operator", retryable: false },
  /** The node has joined already; another enrolment code would make it another node. */
  NODE_ALREADY_JOINED: { fault: "operator", retryable: false },
  /** The enrolment code is for another kind of node. */
  NODE_WRONG_ROLE: { fault: "operator", retryable: false },
  /** This node has got keys with this code already; a code is good for one time. */
  NODE_CODE_SPENT: { fault: "operator", retryable: false },
  /** The answer to the join request is not the one that this node asked for. */
  NODE_JOIN_ANSWER: { fault: "peer", retryable: false },
  /** What came ahead of a gap is not kept: it may hold values that must not lie on this node's disk. */
  NODE_MEMORY_ONLY_GAP: { fault: "environment", retryable: false },
  /** The node does not know whom to dial: no statement of its vault or gateway. */
  NODE_NO_UPSTREAM: { fault: "operator", retryable: false },
  /** The vault acknowledged what this node never sent, or another item under its number. */
  NODE_REPORT_FORK: { fault: "peer", retryable: false },
  /** The vault's own audit log lost or changed leaves since it was last proven. */
  NODE_VAULT_LOG_FORK: { fault: "peer", retryable: false },
  /** A revoked list of the vault leaves out a node that its former one names. */
  NODE_REVOCATION_LOST: { fault: "peer", retryable: false },
  /** The vault holds another head of this node's audit log than the log has. */
  NODE_OWN_LOG_FORK: { fault: "peer", retryable: false },
} as const;

export class NodeError extends TidegateError<keyof typeof NODE_CODES> {
  constructor(code: keyof typeof NODE_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(NODE_CODES, code, message, options);
  }
}
