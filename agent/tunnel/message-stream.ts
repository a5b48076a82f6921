import type { ChannelBinding } from "../../protocol/tunnel/index.ts";
import type { Address } from "../address/index.ts";

/** Paths on a tunnel server's port. */
export const tunnelPath = "/tidegate/1/tunnel";
export const joinPath = "/tidegate/1/join";
export type StreamPath = typeof tunnelPath | typeof joinPath;

/** Whole binary messages over one connection, above TLS and WebSocket. Real sockets, and memory in tests. */
export interface MessageStream {
  /** The other end's address, for logs. */
  readonly remote: string;
  readonly binding: ChannelBinding;
  /** Bytes handed to `send` that have not left this process. */
  readonly queuedBytes: number;
  /** Begins to deliver; what arrived before is kept back. Called once. */
  start(receiver: StreamReceiver): void;
  send(message: Uint8Array): void;
  /** Ends the connection and tells the peer `reason` (0–999) where it still listens. Idempotent; `closed` follows. */
  close(reason: number): void;
}

export interface StreamReceiver {
  message(bytes: Uint8Array): void;
  /** `queuedBytes` fell. */
  drained(): void;
  /** Exactly once, at the end, whoever ended it; `reason` is what the peer gave, null where the connection was just gone. */
  closed(reason: number | null): void;
}

export interface DialTarget {
  readonly address: Address;
  readonly path: StreamPath;
  /** Largest message taken; a larger one ends the connection. */
  readonly maxMessageBytes: number;
}

/** Opens a connection; the name is looked up at each call. Rejects with a LinkError; aborting `signal` frees everything. */
export type Dial = (target: DialTarget, signal: AbortSignal) => Promise<MessageStream>;

export interface ListenOptions {
  readonly address: Address;
  /** A new connection; called before any of its messages is read. The receiver calls `admit` once the peer is known. */
  onStream(stream: MessageStream, path: StreamPath, admission: Admission): void;
}

/** Where a connection stands with the server's bounds on unknown peers. */
export interface Admission {
  /** Known now: no longer counted as unauthenticated nor cut by the handshake time. */
  admit(): void;
}

/** A server that listens. */
export interface Listening {
  /** With the port that the system gave where 0 was asked for. */
  readonly address: Address;
  /** Stops listening and cuts what is open. Idempotent. */
  close(): Promise<void>;
}

/** Starts to listen. Rejects with LINK_LISTEN. */
export type Listen = (options: ListenOptions) => Promise<Listening>;
