import { type ErrorOptions, TidegateError } from "../../protocol/base/index.ts";

export const LINK_CODES = {
  /** Nobody answered at the address, or not as a Tidegate node. */
  LINK_UNREACHABLE: { fault: "environment", retryable: true },
  /** The configured address cannot be listened on. */
  LINK_LISTEN: { fault: "environment", retryable: true },
  /** A mode of the tunnel that this version does not have. */
  TUNNEL_MODE_UNAVAILABLE: { fault: "operator", retryable: false },
  /** The node that we dialled answered a join request with a refusal, which the message names. */
  LINK_JOIN_REFUSED: { fault: "peer", retryable: false },
  /** The connection of a join ended without an answer. */
  LINK_JOIN_CUT: { fault: "environment", retryable: true },
  /** As many joins wait as this node takes at a time. */
  LINK_JOIN_BUSY: { fault: "environment", retryable: true },
  /** No answer to a join within its time. */
  LINK_JOIN_TIMEOUT: { fault: "environment", retryable: true },
  /** What came on a join connection is not a join message, or too large. */
  LINK_JOIN_MALFORMED: { fault: "peer", retryable: false },
  /** The node cannot answer joins at all. */
  LINK_JOIN_CLOSED: { fault: "operator", retryable: false },
} as const;

export type LinkCode = keyof typeof LINK_CODES;

/** A connection that could not be made, or a join exchange that failed. */
export class LinkError extends TidegateError<LinkCode> {
  /** With LINK_JOIN_REFUSED: the code that the other node gave. */
  readonly refusal: string | null;

  constructor(code: LinkCode, message: string, options: ErrorOptions & { readonly refusal?: string } = {}) {
    super(LINK_CODES, code, message, options);
    this.refusal = options.refusal ?? null;
  }
}
