import { type ErrorOptions, TidegateError } from "../../protocol/base/index.ts";

export const LINK_CODES = {
  /** Nobody answered at the address, or not as a Tidegate node. */
  LINK_UNREACHABLE: { fault: "environment", retryable: true },
  /** The configured address cannot be listened on. */
  LINK_LISTEN: { fault: "environment", retryable: true },
  /** Nothing came back in time: packets are dropped on the way, or the other end hangs. */
  LINK_TIMEOUT: { fault: "environment", retryable: true },
  /** What answered does not speak TLS 1.3 as a node does. */
  LINK_TLS: { fault: "environment", retryable: true },
  /** What ended TLS is no node of this vault, and no inspecting proxy is configured. */
  LINK_INSPECTED: { fault: "operator", retryable: true },
  /** An inspecting proxy is configured, and what ended TLS is not vouched for by its authority. */
  LINK_INSPECTION_CA: { fault: "operator", retryable: true },
  /** The other node takes no connection that comes through an inspecting proxy. */
  LINK_MODE_REFUSED: { fault: "operator", retryable: true },
  /** The connection did not become a WebSocket: something on the way took the upgrade out. */
  LINK_UPGRADE_STRIPPED: { fault: "environment", retryable: true },
  /** The HTTP proxy cannot be reached. */
  LINK_PROXY_UNREACHABLE: { fault: "environment", retryable: true },
  /** The HTTP proxy wants a login, or another one. */
  LINK_PROXY_LOGIN: { fault: "operator", retryable: true },
  /** The HTTP proxy does not connect to the address. */
  LINK_PROXY_REFUSED: { fault: "operator", retryable: true },
  /** What answers in the HTTP proxy's place does not speak HTTP. */
  LINK_PROXY_ANSWER: { fault: "environment", retryable: true },
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

/** What ended TLS is neither the other node nor a proxy that we know of. */
export function inspected(what: string): LinkError {
  return new LinkError("LINK_INSPECTED", `something on the way ended TLS: ${what}`, {
    hint: "Exempt the address from TLS inspection, or name the proxy's authority in proxy.inspectionCa and set allowProxies at the other node.",
  });
}
