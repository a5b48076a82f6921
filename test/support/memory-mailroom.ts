import type { Mailroom, OutgoingRequest } from "../../agent/tunnel/index.ts";
import { compareBytes, sameBytes, toHex } from "../../protocol/base/index.ts";
import type { CourierItem, ItemKey, ItemOutcome } from "../../protocol/courier/index.ts";
import type { StreamHead, TunnelPeer } from "../../protocol/tunnel/index.ts";

/** A mailroom in memory: an outbox, and what arrived. Shows how a node writes its own. */
export class MemoryMailroom implements Mailroom {
  /** Oldest first; `sent` is what the peer has said "stored" to in this session. */
  readonly outbox: { readonly item: CourierItem; sent: boolean }[] = [];
  readonly arrived: CourierItem[] = [];
  readonly answers: { readonly id: string; readonly outcome: ItemOutcome }[] = [];
  readonly openings: (readonly StreamHead[])[] = [];
  own: readonly StreamHead[] = [];
  /** What `accept` answers; may be asynchronous. */
  answer: (item: CourierItem) => ItemOutcome | Promise<ItemOutcome> = () => "stored";
  #waiting: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  put(...items: CourierItem[]): void {
    for (const item of items) this.outbox.push({ item, sent: false });
  }

  /** Resolves once `done` holds; looked at after each change here. */
  until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }

  heads(): readonly StreamHead[] {
    return this.own;
  }

  opened(_peer: TunnelPeer, heads: readonly StreamHead[]): void {
    for (const entry of this.outbox) entry.sent = false;
    this.openings.push(heads);
    this.#changed();
  }

  outgoing(_peer: TunnelPeer, request: OutgoingRequest): readonly CourierItem[] {
    const wanted = this.outbox.filter(({ item, sent }) => !sent && request.wants(item)).map(({ item }) => item);
    const { after } = request;
    const late = (item: CourierItem) => after !== null && compareBytes(item.mailbox, after) <= 0;
    const turn = [...wanted].sort((a, b) => Number(late(a)) - Number(late(b)) || compareBytes(a.mailbox, b.mailbox));
    return turn.slice(0, request.items);
  }

  acknowledged(_peer: TunnelPeer, key: ItemKey, outcome: ItemOutcome): void {
    for (const entry of this.outbox) if (sameBytes(entry.item.id, key.id) && outcome === "stored") entry.sent = true;
    this.answers.push({ id: toHex(key.id), outcome });
    this.#changed();
  }

  async accept(_peer: TunnelPeer, item: CourierItem): Promise<ItemOutcome> {
    const outcome = await this.answer(item);
    if (outcome === "stored") this.arrived.push(item);
    this.#changed();
    return outcome;
  }

  #changed(): void {
    const ready = this.#waiting.filter(({ done }) => done());
    this.#waiting = this.#waiting.filter((one) => !ready.includes(one));
    for (const { resolve } of ready) resolve();
  }
}
