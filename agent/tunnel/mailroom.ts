import type { CourierItem, ItemKey, ItemOutcome } from "../../protocol/courier/index.ts";
import type { StreamHead, TunnelPeer } from "../../protocol/tunnel/index.ts";

/** A value now (a synchronous store) or later (the vault's). */
export type Awaitable<T> = T | Promise<T>;

/** What the tunnel asks for when it has room to send. */
export interface OutgoingRequest {
  /** At most this many items; at least 1. */
  readonly items: number;
  /** Stop once the items together exceed this many bytes; one item is always welcome. */
  readonly bytes: number;
  /** Begin with the mailbox that follows this one in byte order, wrapping round: that is what makes sending fair. Null = the first. */
  readonly after: Uint8Array | null;
  /** False for what is already on its way and for a mailbox that has its share in flight: skip it. */
  wants(item: ItemKey): boolean;
}

/**
 * The durable side of a tunnel, implemented by vault, gateway and edge. What a function throws closes the session and is reported
 * as `tunnel.closed` with its code; nothing is lost, the other side sends again.
 */
export interface Mailroom {
  /** Heads that we tell the node `peerId` (20 bytes): of the streams flowing towards us through it. */
  heads(peerId: Uint8Array): Awaitable<readonly StreamHead[]>;
  /**
   * A session stands and the peer has told its heads. Items at or below a head need no sending; items *above* it do, even where
   * an earlier hop acknowledgement said "stored": the peer may have been restored from a backup.
   */
  opened(peer: TunnelPeer, heads: readonly StreamHead[]): Awaitable<void>;
  /** Items for mailboxes reached through this peer, oldest first within a mailbox, none that was hop-acknowledged in this session. */
  outgoing(peer: TunnelPeer, request: OutgoingRequest): Awaitable<readonly CourierItem[]>;
  /** The peer's answer to an item that we sent. `stored` only stops retransmission: outboxes shrink on the recipient's signed acknowledgement. */
  acknowledged(peer: TunnelPeer, item: ItemKey, outcome: ItemOutcome): Awaitable<void>;
  /**
   * An item arrived whole and its id is that of its envelope; nothing else is checked yet. Answer `stored` only after the commit, also
   * for an item that is already held. One call at a time for a mailbox.
   */
  accept(peer: TunnelPeer, item: CourierItem): Awaitable<ItemOutcome>;
}
