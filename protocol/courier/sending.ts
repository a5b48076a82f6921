import { assert, compareBytes, toHex } from "../base/index.ts";
import { maxCarrierBytes } from "../envelope/index.ts";
import { CourierError } from "./errors.ts";
import type { CourierItem, ItemKey, ItemOutcome } from "./item.ts";
import {
  fullRetryMs,
  maxInFlight,
  maxInFlightPerMailbox,
  maxItemsBegun,
  maxOutstandingCredit,
  maxQueuedBytes,
  maxRefusedRemembered,
  partBytes,
} from "./limits.ts";
import { encodePartHead } from "./wire.ts";

/** Items of one mailbox, in order; the first is the one being sent. */
interface Lane {
  readonly mailbox: Uint8Array;
  readonly waiting: CourierItem[];
  /** Bytes of the first item already sent. */
  offset: number;
}

/** What the courier asks of the node's outbox. */
export interface SendingRequest {
  readonly items: number;
  readonly bytes: number;
  readonly after: Uint8Array | null;
  wants(item: ItemKey): boolean;
}

/** The sending half: takes items, gives parts by turns of mailboxes within the peer's credit, and remembers what is unanswered. */
export class Sending {
  /** Mailboxes with something to send; the first is next. */
  readonly #lanes: Lane[] = [];
  /** Unanswered, or answered and not yet released: id to mailbox, both hexadecimal. */
  readonly #inFlight = new Map<string, string>();
  readonly #perMailbox = new Map<string, number>();
  /** Mailboxes that the peer called full, and when to try again. */
  readonly #parked = new Map<string, number>();
  readonly #refused = new Set<string>();
  #queuedBytes = 0;
  #sent = 0;
  #credit = 0;
  #after: Uint8Array | null = null;

  /** When a full mailbox may be offered again; null where none is. */
  get retryAt(): number | null {
    return this.#parked.size === 0 ? null : Math.min(...this.#parked.values());
  }

  /** What to ask the outbox for; null where enough is in hand. */
  request(now: number): SendingRequest | null {
    for (const [mailbox, until] of this.#parked) if (until <= now) this.#parked.delete(mailbox);
    const items = maxInFlight - this.#inFlight.size;
    if (items <= 0 || this.#queuedBytes >= maxQueuedBytes) return null;
    return {
      items,
      bytes: maxQueuedBytes - this.#queuedBytes,
      after: this.#after,
      wants: (item) => this.#wants(toHex(item.mailbox), toHex(item.id)),
    };
  }

  /** Takes items from the outbox and tells how many; what is not wanted any more is left out. */
  offer(items: readonly CourierItem[]): number {
    let taken = 0;
    for (const item of items) {
      const mailbox = toHex(item.mailbox);
      const id = toHex(item.id);
      if (this.#inFlight.size >= maxInFlight || !this.#wants(mailbox, id)) continue;
      assert(item.carrier.length > 0 && item.carrier.length <= maxCarrierBytes, "an item is within a carrier's limit");
      this.#inFlight.set(id, mailbox);
      this.#perMailbox.set(mailbox, (this.#perMailbox.get(mailbox) ?? 0) + 1);
      this.#queuedBytes += item.carrier.length;
      this.#after = item.mailbox;
      const lane = this.#lanes.find((one) => compareBytes(one.mailbox, item.mailbox) === 0);
      if (lane === undefined) this.#lanes.push({ mailbox: item.mailbox, waiting: [item], offset: 0 });
      else lane.waiting.push(item);
      taken += 1;
    }
    return taken;
  }

  /** The next part's payload, in two pieces; null where nothing waits or the credit is used up. */
  next(): readonly [head: Uint8Array, bytes: Uint8Array] | null {
    if (this.#credit <= this.#sent) return null;
    const begun = this.#lanes.reduce((count, lane) => count + (lane.offset > 0 ? 1 : 0), 0);
    const at = this.#lanes.findIndex((lane) => lane.offset > 0 || begun < maxItemsBegun);
    const lane = this.#lanes[at];
    const item = lane?.waiting[0];
    if (lane === undefined || item === undefined) return null;
    const length = Math.min(partBytes, item.carrier.length - lane.offset);
    const head = encodePartHead({ ...item, offset: lane.offset, total: item.carrier.length });
    if (this.#sent + head.length + length > this.#credit) return null;
    this.#sent += head.length + length;
    const bytes = item.carrier.subarray(lane.offset, lane.offset + length);
    lane.offset += length;
    this.#lanes.splice(at, 1);
    if (lane.offset === item.carrier.length) this.#dropFirst(lane, item);
    if (lane.waiting.length > 0) this.#lanes.push(lane);
    return [head, bytes];
  }

  /** The peer's answer. Throws COURIER_UNEXPECTED. The item stays in flight until {@link release}. */
  answered(key: ItemKey, outcome: ItemOutcome, now: number): void {
    const id = toHex(key.id);
    const mailbox = toHex(key.mailbox);
    if (this.#inFlight.get(id) !== mailbox) throw new CourierError("COURIER_UNEXPECTED", "an answer to what was not sent");
    const lane = this.#lanes.find((one) => compareBytes(one.mailbox, key.mailbox) === 0);
    const at = lane?.waiting.findIndex((item) => compareBytes(item.id, key.id) === 0) ?? -1;
    if (lane !== undefined && at >= 0) {
      // Not all of it is sent: only a refusal can come so early.
      if (outcome === "stored" || at > 0 || lane.offset === 0) {
        throw new CourierError("COURIER_UNEXPECTED", "an answer to what is not sent yet");
      }
      this.#dropFirst(lane, lane.waiting[0]);
      if (lane.waiting.length === 0) this.#lanes.splice(this.#lanes.indexOf(lane), 1);
    }
    if (outcome === "refused" || outcome === "too-large") this.#remember(id);
    if (outcome === "full") this.#park(mailbox, now);
  }

  /** The outbox has taken note of the answer. */
  release(key: ItemKey): void {
    this.#forget(toHex(key.id));
  }

  /** New total of bytes that may have been sent. Throws COURIER_CREDIT. */
  credit(total: number): void {
    if (total < this.#credit) throw new CourierError("COURIER_CREDIT", "credit taken back");
    if (total - this.#sent > maxOutstandingCredit) throw new CourierError("COURIER_CREDIT", "credit without bound");
    this.#credit = total;
  }

  #wants(mailbox: string, id: string): boolean {
    return (
      !this.#inFlight.has(id) &&
      !this.#refused.has(id) &&
      !this.#parked.has(mailbox) &&
      (this.#perMailbox.get(mailbox) ?? 0) < maxInFlightPerMailbox
    );
  }

  /** The rest of this mailbox is asked for again later; an item begun is sent to its end. */
  #park(mailbox: string, now: number): void {
    this.#parked.set(mailbox, now + fullRetryMs);
    const lane = this.#lanes.find((one) => toHex(one.mailbox) === mailbox);
    if (lane === undefined) return;
    for (const item of lane.waiting.splice(lane.offset > 0 ? 1 : 0)) {
      this.#queuedBytes -= item.carrier.length;
      this.#forget(toHex(item.id));
    }
    if (lane.waiting.length === 0) this.#lanes.splice(this.#lanes.indexOf(lane), 1);
  }

  #dropFirst(lane: Lane, item: CourierItem | undefined): void {
    lane.waiting.shift();
    lane.offset = 0;
    this.#queuedBytes -= item?.carrier.length ?? 0;
  }

  #forget(id: string): void {
    const mailbox = this.#inFlight.get(id);
    if (mailbox === undefined) return;
    this.#inFlight.delete(id);
    const count = (this.#perMailbox.get(mailbox) ?? 1) - 1;
    if (count === 0) this.#perMailbox.delete(mailbox);
    else this.#perMailbox.set(mailbox, count);
  }

  #remember(id: string): void {
    this.#refused.add(id);
    if (this.#refused.size <= maxRefusedRemembered) return;
    const oldest = this.#refused.values().next().value;
    if (oldest !== undefined) this.#refused.delete(oldest);
  }
}
