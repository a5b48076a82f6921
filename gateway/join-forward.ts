import type { Timers } from "../agent/seams/index.ts";
import type { JoinAnswer } from "../agent/tunnel/index.ts";
import { sameBytes, toHex } from "../protocol/base/index.ts";
import { decodeHeader } from "../protocol/bundle/index.ts";
import type { CourierItem, ItemKey, ItemOutcome } from "../protocol/courier/index.ts";
import { decodeCarrier, decodeEnvelope } from "../protocol/envelope/index.ts";
import { type AnswerPlace, answerPlaceOf } from "../protocol/join/index.ts";
import { gatewayLimits } from "./limits.ts";

interface Waiting {
  readonly item: CourierItem;
  readonly place: AnswerPlace;
  readonly answer: (answer: JoinAnswer) => void;
}

/**
 * Join requests of edges on their way to the vault. Whether they may join the gateway cannot judge: the request is authenticated by a
 * secret that it does not know, and the answer is sealed to the edge. It verifies that who asks holds the key that he asks for, since one
 * key has one place here. Nothing is stored: who joins asks again.
 */
export class JoinForward {
  readonly #waiting = new Map<string, Waiting>();
  /** Ids of requests that the vault refused in this session, in which the courier offers none of them again. */
  readonly #refused = new Set<string>();
  readonly #timers: Timers;
  readonly #vaultMailbox: Uint8Array;
  readonly #wake: () => void;

  constructor(options: { readonly timers: Timers; readonly vaultMailbox: Uint8Array; readonly wake: () => void }) {
    this.#timers = options.timers;
    this.#vaultMailbox = options.vaultMailbox;
    this.#wake = options.wake;
  }

  /** Requests to be sent to the vault. */
  get items(): readonly CourierItem[] {
    return [...this.#waiting.values()].map(({ item }) => item);
  }

  /** Passes a request on and waits for the vault. Throws CARRIER_*, ENVELOPE_*, KEY_* and JOIN_MALFORMED for what is no join request. */
  ask(carrier: Uint8Array): Promise<JoinAnswer> {
    const { envelope } = decodeCarrier(carrier);
    const place = answerPlaceOf(envelope);
    const nodeId = toHex(place.joiner);
    const { id } = decodeEnvelope(envelope);
    if (this.#refused.has(toHex(id))) return Promise.resolve({ refuse: "GATEWAY_JOIN_REFUSED" });
    if (this.#waiting.size >= gatewayLimits.joins && !this.#waiting.has(nodeId))
      return Promise.resolve({ refuse: "GATEWAY_JOIN_BUSY" });
    this.#waiting.get(nodeId)?.answer({ refuse: "GATEWAY_JOIN_BUSY" });
    return new Promise((resolve) => {
      const answer = (given: JoinAnswer) => {
        cancel();
        if (this.#waiting.get(nodeId) === waiting) this.#waiting.delete(nodeId);
        resolve(given);
      };
      const cancel = this.#timers.after(gatewayLimits.joinMs, () => answer({ refuse: "GATEWAY_JOIN_TIMEOUT" }));
      const waiting = { item: { mailbox: this.#vaultMailbox, id, carrier }, place, answer };
      this.#waiting.set(nodeId, waiting);
      this.#wake();
    });
  }

  /** The vault sent something for this node: if it waits to join, that is its answer. */
  arrived(nodeId: Uint8Array, carrier: Uint8Array): void {
    for (const { place, answer } of [...this.#waiting.values()])
      if (sameBytes(place.nodeId, nodeId) && isAnswer(place, carrier)) answer({ carrier });
  }

  /** The vault's hop answer to a request: a refused one gets no other. */
  settled(item: ItemKey, outcome: ItemOutcome): void {
    if (outcome === "stored" || outcome === "full") return;
    const id = toHex(item.id);
    for (const waiting of this.#waiting.values()) {
      if (toHex(waiting.item.id) !== id) continue;
      if (this.#refused.size >= gatewayLimits.joinsRefused) this.#refused.clear();
      this.#refused.add(id);
      waiting.answer({ refuse: "GATEWAY_JOIN_REFUSED" });
    }
  }

  /** A new session with the vault has begun: it may judge anew what it refused before. */
  sessionBegan(): void {
    this.#refused.clear();
  }

  close(): void {
    for (const waiting of [...this.#waiting.values()]) waiting.answer({ refuse: "GATEWAY_JOIN_TIMEOUT" });
  }
}

/** Whatever comes for a node that is to be; a member that gets new keys has other items under way, sealed to the old one. */
function isAnswer({ joiner, nodeId, sealKeyId }: AnswerPlace, carrier: Uint8Array): boolean {
  if (sameBytes(joiner, nodeId)) return true;
  return sameBytes(decodeHeader(decodeEnvelope(decodeCarrier(carrier).envelope).payload).sealingKeyId, sealKeyId);
}
