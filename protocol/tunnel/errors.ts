import { type ErrorOptions, TidegateError } from "../base/index.ts";

export const TUNNEL_CODES = {
  /** A handshake message or a frame's payload does not have its shape. */
  TUNNEL_MALFORMED: { fault: "peer", retryable: false },
  /** A message above its limit. */
  TUNNEL_TOO_LARGE: { fault: "peer", retryable: false },
  /** No version of the tunnel in common. */
  TUNNEL_VERSION: { fault: "peer", retryable: false },
  /** The peer belongs to another vault. */
  TUNNEL_WRONG_VAULT: { fault: "peer", retryable: false },
  /** Not the node that was dialled, or one that was dialled by mistake. */
  TUNNEL_WRONG_PEER: { fault: "peer", retryable: false },
  /** One side is in mode direct and the other in mode proxy: something in between ends TLS. */
  TUNNEL_MODE_MISMATCH: { fault: "peer", retryable: false },
  /** A handshake signature does not hold: the messages were altered, or TLS ends at two places. */
  TUNNEL_BAD_SIGNATURE: { fault: "peer", retryable: false },
  /** The peer's certificate has another key than its member statement. */
  TUNNEL_TLS_KEY: { fault: "peer", retryable: false },
  /** The peer's certificate is not signed by a CA key of the root. */
  TUNNEL_TLS_CHAIN: { fault: "peer", retryable: false },
  /** The key agreement gave a value that anybody knows. */
  TUNNEL_WEAK_EXCHANGE: { fault: "peer", retryable: false },
  /** A frame's HMAC does not hold. */
  TUNNEL_FRAME_FORGED: { fault: "peer", retryable: false },
  /** A frame replayed, left out or out of order. */
  TUNNEL_FRAME_ORDER: { fault: "peer", retryable: false },
  /** A message or frame that has no place in this state. */
  TUNNEL_UNEXPECTED: { fault: "peer", retryable: false },
  /** No session within the handshake's time. */
  TUNNEL_HANDSHAKE_TIMEOUT: { fault: "environment", retryable: true },
  /** Two pings unanswered. */
  TUNNEL_PEER_SILENT: { fault: "environment", retryable: true },
  /** The session reached its greatest age; the next one follows at once. */
  TUNNEL_SESSION_ENDED: { fault: "environment", retryable: true },
  /** A newer session of the same node took this one's place, or this one came late. */
  TUNNEL_SUPERSEDED: { fault: "environment", retryable: true },
  /** One side closed for reasons of its own: it stops, or the tunnel was closed here. */
  TUNNEL_CLOSED: { fault: "environment", retryable: true },
  /** The connection was just gone. */
  TUNNEL_CUT: { fault: "environment", retryable: true },
  /** The peer closed and gave a reason; its own log says more. */
  TUNNEL_REFUSED_BY_PEER: { fault: "peer", retryable: true },
  /** This node takes no sessions from that one: role or zone. */
  TUNNEL_NOT_ADMITTED: { fault: "peer", retryable: false },
  /** The peer sends without reading, or floods. */
  TUNNEL_FLOOD: { fault: "peer", retryable: true },
} as const;

export type TunnelCode = keyof typeof TUNNEL_CODES;

/** A handshake, a frame or a session that ends. */
export class TunnelError extends TidegateError<TunnelCode> {
  constructor(code: TunnelCode, message: string, options: ErrorOptions = {}) {
    super(TUNNEL_CODES, code, message, options);
  }
}
