import type { SigningKey } from "../../protocol/keys/index.ts";
import type { TunnelPeer, TunnelTrust } from "../../protocol/tunnel/index.ts";
import type { Seams } from "../seams/index.ts";
import type { Awaitable, Mailroom } from "./mailroom.ts";

/** Who this node is, to its tunnels. */
export interface TunnelNode {
  /** 20 bytes. */
  readonly nodeId: Uint8Array;
  readonly signing: SigningKey;
  /** Our own member statement, the newest: an envelope's bytes. Asked at each handshake. */
  member(): Uint8Array;
  /** What we trust now. Asked at each handshake. */
  trust(): TunnelTrust;
  /** Roots, revoked lists and a successor's statement that a listener told us, already verified: make them durable. The handshake waits for it. */
  learn(statements: readonly Uint8Array[]): Awaitable<void>;
  readonly mailroom: Mailroom;
  readonly seams: Pick<Seams, "clock" | "timers" | "random">;
}

/** What happens on a tunnel, for the node's log and audit. Never a payload. */
export type TunnelEvent =
  | { readonly name: "tunnel.dial-failed"; readonly code: string; readonly retryInMs: number }
  | { readonly name: "tunnel.opened"; readonly peer: TunnelPeer; readonly remote: string; readonly session: string }
  | {
      readonly name: "tunnel.closed";
      readonly peer: TunnelPeer | null;
      readonly remote: string;
      readonly code: string;
      /** False where no session came about. */
      readonly wasOpen: boolean;
    }
  | { readonly name: "tunnel.item-refused"; readonly peer: TunnelPeer; readonly id: string; readonly outcome: string }
  | { readonly name: "join.answered"; readonly remote: string }
  | { readonly name: "join.refused"; readonly remote: string; readonly code: string };

export type TunnelReporter = (event: TunnelEvent) => void;

/** The socket facts of one session, for `status` and metrics. Times are since-boot milliseconds. */
export interface SessionFacts {
  readonly peer: TunnelPeer;
  readonly direction: "outbound" | "inbound";
  readonly remote: string;
  readonly connectedSinceMs: number;
  readonly lastHeardMs: number;
  /** First 8 bytes of the session id, in hexadecimal; the same at both ends. */
  readonly session: string;
}
