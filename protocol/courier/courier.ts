import { sameBytes, TidegateError } from "../base/index.ts";
import { decodeCarrier, decodeEnvelope } from "../envelope/index.ts";
import { type CourierFrameKind, frameKind } from "../tunnel/index.ts";
import type { CourierItem, ItemKey, ItemOutcome } from "./item.ts";
import { practicalItemBytes } from "./limits.ts";
import { Receiving } from "./receiving.ts";
import { Sending, type SendingRequest } from "./sending.ts";
import { decodeCredit, decodeHopAck, encodeCredit, encodeHopAck } from "./wire.ts";

/** What the shell does for a courier, in this order. */
export type CourierEffect =
  | { readonly kind: "send"; readonly frame: CourierFrameKind; readonly payload: readonly Uint8Array[] }
  /** Hand this item to the store and call `settled` with its answer; items of one mailbox one after the other. */
  | { readonly kind: "item"; readonly item: CourierItem }
  /** The peer answered for an item of ours: tell the outbox, then call `released`. */
  | { readonly kind: "answered"; readonly key: ItemKey; readonly outcome: ItemOutcome };

/**
 * The transport of items over an open session, without I/O: parts, credits and hop acknowledgements. Order is kept within a
 * mailbox; mailboxes take turns. Errors of the peer are thrown as COURIER_* and end the session.
 */
export class Courier {
  readonly #sending = new Sending();
  readonly #receiving: Receiving;

  constructor(maxItemBytes: number = practicalItemBytes) {
    this.#receiving = new Receiving(maxItemBytes);
  }

  /** The first credit; to be sent as soon as the session is open. */
  open(): CourierEffect[] {
    return this.#credit();
  }

  /** One courier frame of the peer's. */
  receive(frame: CourierFrameKind, payload: Uint8Array, now: number): CourierEffect[] {
    if (frame === frameKind.itemPart) return this.#receivePart(payload);
    if (frame === frameKind.credit) {
      this.#sending.credit(decodeCredit(payload));
      return [];
    }
    const { key, outcome } = decodeHopAck(payload);
    this.#sending.answered(key, outcome, now);
    return [{ kind: "answered", key, outcome }];
  }

  /** The store's answer for an item: the hop acknowledgement, and credit. */
  settled(item: CourierItem, outcome: ItemOutcome): CourierEffect[] {
    this.#receiving.settled(item);
    return [ack(item, outcome), ...this.#credit()];
  }

  /** The outbox has noted an answer; the item may be offered again where the answer was `full`. */
  released(key: ItemKey): void {
    this.#sending.release(key);
  }

  /** What to ask the outbox for; null where enough is in hand. */
  request(now: number): SendingRequest | null {
    return this.#sending.request(now);
  }

  /** Items from the outbox; how many were taken. */
  offer(items: readonly CourierItem[]): number {
    return this.#sending.offer(items);
  }

  /** The next part to send; null where nothing waits or the peer's credit is used up. */
  next(): (CourierEffect & { kind: "send" }) | null {
    const payload = this.#sending.next();
    return payload === null ? null : { kind: "send", frame: frameKind.itemPart, payload };
  }

  /** When to ask the outbox again because a mailbox was full; null where none was. */
  get retryAt(): number | null {
    return this.#sending.retryAt;
  }

  #receivePart(payload: Uint8Array): CourierEffect[] {
    const received = this.#receiving.part(payload);
    if (received.kind === "more") return this.#credit();
    if (received.kind === "too-large") return [ack(received.key, "too-large"), ...this.#credit()];
    // Something that is no carrier, or another one than it says, would come again at each session: refuse it, go on.
    if (!holdsItsId(received.item)) return this.settled(received.item, "refused");
    return [{ kind: "item", item: received.item }, ...this.#credit()];
  }

  #credit(): CourierEffect[] {
    const total = this.#receiving.creditDue();
    return total === null ? [] : [{ kind: "send", frame: frameKind.credit, payload: [encodeCredit(total)] }];
  }
}

function ack(key: ItemKey, outcome: ItemOutcome): CourierEffect {
  return { kind: "send", frame: frameKind.hopAck, payload: [encodeHopAck(key, outcome)] };
}

function holdsItsId(item: CourierItem): boolean {
  try {
    return sameBytes(decodeEnvelope(decodeCarrier(item.carrier).envelope).id, item.id);
  } catch (error) {
    if (error instanceof TidegateError) return false;
    throw error;
  }
}
