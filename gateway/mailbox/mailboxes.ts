import type { Store, Transaction, View } from "../../agent/store/index.ts";
import { sameBytes, toHex } from "../../protocol/base/index.ts";
import type { StreamHead } from "../../protocol/bundle/index.ts";
import { GatewayError } from "../errors.ts";
import { gatewayLimits } from "../limits.ts";
import {
  comparePlaces,
  deleteItems,
  deleteMailbox,
  type MailboxName,
  type MailboxState,
  readItem,
  readItems,
  readMailbox,
  readMailboxes,
  type StoredItem,
  writeItem,
  writeMailbox,
} from "./mailbox-rows.ts";
import type { PassingItem, Way } from "./passing-item.ts";

/** Items of the vault's outbox and of each edge's, on their way; bytes that the gateway cannot open. */
export interface MailboxSummary {
  readonly edge: Uint8Array;
  readonly way: Way;
  readonly items: number;
  readonly bytes: number;
}

/** What storing an item did. */
export interface Kept {
  /** False where it was here before, or is needed no more. */
  readonly isNew: boolean;
  /** Items that the newer snapshot made useless. */
  readonly dropped: number;
}

/**
 * The durable, bounded mailboxes of the edges behind this gateway, one a direction. They shrink on the recipient's own signed
 * acknowledgement, seen in the headers that pass, and behind a verified snapshot; never by time, and never to make room.
 */
export class Mailboxes {
  readonly #store: Store;
  readonly #maxTotalBytes: number;
  #totalBytes: number;

  constructor(store: Store, maxTotalBytes: number) {
    this.#store = store;
    this.#maxTotalBytes = maxTotalBytes;
    this.#totalBytes = 0;
    this.recount();
  }

  /** Counts again what all mailboxes hold, after some were removed. */
  recount(): void {
    this.#totalBytes = this.list().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  list(): MailboxSummary[] {
    const all = this.#store.read((view) => readMailboxes(view, 2 * gatewayLimits.edges));
    return all.map(({ edge, way, state }) => ({ edge, way, items: state.items, bytes: state.bytes }));
  }

  /**
   * Stores a verified item and takes its acknowledgement, in one transaction with what `also` writes. Throws GATEWAY_MAILBOX_FULL and
   * GATEWAY_ITEM_FORK.
   */
  put(item: PassingItem, carrier: Uint8Array, also: (tx: Transaction, kept: Kept) => void = () => {}): Kept {
    const total = this.#totalBytes;
    try {
      return this.#store.transaction((tx) => {
        const kept = this.#keep(tx, item, carrier);
        if (item.ack !== null) this.#acknowledge(tx, { edge: item.edge, way: other(item.way) }, item.ack);
        also(tx, kept);
        return kept;
      });
    } catch (error) {
      this.#totalBytes = total;
      throw error;
    }
  }

  /** Where the sender need not begin before: what is here without a gap, or what its recipient acknowledged. */
  head(edge: Uint8Array, way: Way): StreamHead | null {
    return reached(this.#store.read((view) => readMailbox(view, { edge, way })));
  }

  /** Items after a place, oldest first. */
  items(edge: Uint8Array, way: Way, after: { epoch: number; seq: number } | null, limit: number): StoredItem[] {
    return this.#store.read((view) => readItems(view, { edge, way }, after, limit));
  }

  /** Deletes an edge's mailboxes: its conduit is gone, by the vault's own word. {@link recount} after the commit. */
  remove(tx: Transaction, edge: Uint8Array): void {
    for (const way of ["down", "up"] as const) deleteMailbox(tx, { edge, way });
  }

  #keep(tx: Transaction, item: PassingItem, carrier: Uint8Array): Kept {
    const name: MailboxName = { edge: item.edge, way: item.way };
    const state = readMailbox(tx, name);
    const present = readItem(tx, name, item.place);
    if (present !== null && !sameBytes(present.place.id, item.place.id)) {
      throw new GatewayError("GATEWAY_ITEM_FORK", `two items ${item.place.epoch}/${item.place.seq} of ${toHex(item.edge)}`);
    }
    if (present !== null || isPast(state, item)) return { isNew: false, dropped: 0 };
    const dropped = item.snapshot ? deleteItems(tx, name, item.place, false) : { items: 0, bytes: 0 };
    const items = state.items - dropped.items + 1;
    const bytes = state.bytes - dropped.bytes + carrier.length;
    this.#totalBytes += carrier.length - dropped.bytes;
    const over = items > gatewayLimits.mailboxItems || bytes > gatewayLimits.mailboxBytes;
    if (over || this.#totalBytes > this.#maxTotalBytes) {
      throw new GatewayError("GATEWAY_MAILBOX_FULL", `${items} items, ${bytes} bytes for ${toHex(item.edge)}`);
    }
    writeItem(tx, name, { place: item.place, snapshot: item.snapshot, carrier });
    const head = advance(tx, name, reached(state), item);
    const snapshot = item.snapshot ? item.place : state.snapshot;
    writeMailbox(tx, name, { ...state, items, bytes, head, snapshot });
    return { isNew: true, dropped: dropped.items };
  }

  #acknowledge(tx: Transaction, name: MailboxName, ack: StreamHead): void {
    const state = readMailbox(tx, name);
    if (state.acknowledged !== null && comparePlaces(ack, state.acknowledged) <= 0) return;
    const gone = deleteItems(tx, name, ack, true);
    this.#totalBytes -= gone.bytes;
    writeMailbox(tx, name, { ...state, items: state.items - gone.items, bytes: state.bytes - gone.bytes, acknowledged: ack });
  }
}

function other(way: Way): Way {
  return way === "down" ? "up" : "down";
}

function reached({ head, acknowledged }: MailboxState): StreamHead | null {
  if (head === null || acknowledged === null) return head ?? acknowledged;
  return comparePlaces(head, acknowledged) >= 0 ? head : acknowledged;
}

/** True for what its recipient has, and for what lies behind a snapshot. */
function isPast({ acknowledged, snapshot }: MailboxState, { place }: PassingItem): boolean {
  return [acknowledged, snapshot].some((passed) => passed !== null && comparePlaces(place, passed) <= 0);
}

/** The head after an item was stored: a snapshot needs nothing before it, anything else follows on without a gap. */
function advance(view: View, name: MailboxName, head: StreamHead | null, stored: PassingItem): StreamHead | null {
  const follows = head !== null && stored.place.epoch === head.epoch && stored.place.seq === head.seq + 1;
  const jumps = stored.snapshot && (head === null || comparePlaces(stored.place, head) > 0);
  if (!follows && !jumps) return head;
  let next: StreamHead = stored.place;
  for (;;) {
    if (next.seq === Number.MAX_SAFE_INTEGER) return next;
    const following = readItem(view, name, { epoch: next.epoch, seq: next.seq + 1 });
    if (following === null) return next;
    next = following.place;
  }
}
