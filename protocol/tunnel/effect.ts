import type { StreamHead } from "./stream-head.ts";
import type { TunnelPeer } from "./tunnel-trust.ts";

/** What the shell does for a session, in this order and one after the other. */
export type TunnelEffect =
  | { readonly kind: "send"; readonly bytes: Uint8Array }
  /** Make these statements durable before carrying out what follows. */
  | { readonly kind: "learn"; readonly statements: readonly Uint8Array[] }
  /** Listener only: the dialler is who it says. Call `admit` with our heads, or `end`. */
  | { readonly kind: "authenticated"; readonly peer: TunnelPeer; readonly counter: number }
  /** Both sides proved that they hold the keys; items may flow. */
  | { readonly kind: "opened"; readonly peer: TunnelPeer; readonly heads: readonly StreamHead[]; readonly session: string }
  /** An item part, hop acknowledgement or credit for the courier. `payload` is a view of the received bytes. */
  | { readonly kind: "frame"; readonly frame: CourierFrameKind; readonly payload: Uint8Array }
  /** The session is over: send nothing more, close the connection with `reason`. `code` says why here. */
  | { readonly kind: "closed"; readonly code: string; readonly reason: number };

/** The frames that carry items; the numbers are those of the wire. */
export type CourierFrameKind = 1 | 2 | 3;
