import type { TunnelPeer } from "../../protocol/tunnel/index.ts";
import type { Address } from "./address.ts";
import type { Dial, Listen } from "./message-stream.ts";
import type { SessionFacts, TunnelNode, TunnelReporter } from "./tunnel-node.ts";

/** `direct`: TLS 1.3 with both certificates, exporter bound. `proxy` (HTTP CONNECT, inspection) is refused in this version. */
export type TunnelMode = "direct" | "proxy";

export interface DialOptions {
  readonly node: TunnelNode;
  /** Node id of the listener, 20 bytes; any other is refused. */
  readonly peer: Uint8Array;
  /** `host:port`; the name is looked up at each dial. */
  readonly address: string;
  readonly mode: TunnelMode;
  readonly dial: Dial;
  /** Numbers our sessions: above every number before, durable before it returns. */
  nextCounter(): number;
  readonly report: TunnelReporter;
}

/** A tunnel that dials, and dials again, until it is closed. */
export interface DialledTunnel {
  status(): TunnelStatus;
  /** Something to send was stored. Cheap; call it as often as you like. */
  wake(): void;
  /** Idempotent. */
  close(): Promise<void>;
}

export type TunnelStatus =
  | { readonly state: "open"; readonly facts: SessionFacts }
  /** `lastCode` is why the last attempt or session ended; null before the first. */
  | { readonly state: "connecting" | "waiting"; readonly lastCode: string | null }
  | { readonly state: "closed" };

/** The answer to a join request: a carrier, or the code to refuse with. */
export type JoinAnswer = { readonly carrier: Uint8Array } | { readonly refuse: string };

/** Answers a join request; may take minutes. What it throws is told to the joining node as its code, where it has one. */
export type JoinHandler = (carrier: Uint8Array, remote: string) => Promise<JoinAnswer>;

export interface ListenerOptions {
  readonly node: TunnelNode;
  /** `host:port`; port 0 = any. */
  readonly address: string;
  readonly listen: Listen;
  /** False refuses the session with TUNNEL_NOT_ADMITTED. */
  admit(peer: TunnelPeer): boolean;
  /** Absent: the join path is closed. */
  readonly onJoin?: JoinHandler;
  readonly report: TunnelReporter;
}

export interface TunnelListener {
  readonly address: Address;
  /** The one live session of this node, or null. */
  sessionFor(nodeId: Uint8Array): SessionFacts | null;
  sessions(): readonly SessionFacts[];
  /** Something to send through this node was stored. Cheap; nothing happens where it has no session. */
  wake(nodeId: Uint8Array): void;
  /** Ends this node's session, if any: it was revoked. */
  drop(nodeId: Uint8Array): void;
  /** Idempotent. */
  close(): Promise<void>;
}
