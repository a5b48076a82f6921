import { hash } from "node:crypto";
import type { Random } from "../../../protocol/base/index.ts";
import {
  type ChannelBinding,
  type DirectBinding,
  type SessionTimes,
  type StreamHead,
  type TunnelEffect,
  TunnelSession,
  type TunnelTrust,
} from "../../../protocol/tunnel/index.ts";
import { type TunnelMember, TunnelWorld } from "../../support/tunnel-members.ts";

/** Random bytes that are the same in each run. */
export function seededRandom(seed: string): Random {
  let count = 0;
  return (length) => {
    count += 1;
    return new Uint8Array(hash("sha512", `${seed} ${count}`, "buffer").subarray(0, length));
  };
}

export const world = new TunnelWorld();
export const gateway = world.node(41, { role: 1 });
export const edge = world.node(42);
export const stranger = world.node(43);

export interface PairOptions {
  readonly dialler?: TunnelMember;
  readonly listener?: TunnelMember;
  /** Whom the dialler dials; else the listener. */
  readonly dialled?: Uint8Array;
  readonly diallerTrust?: TunnelTrust;
  readonly listenerTrust?: TunnelTrust;
  readonly diallerBinding?: ChannelBinding;
  readonly listenerBinding?: ChannelBinding;
  readonly heads?: readonly StreamHead[];
  readonly counter?: number;
  readonly times?: SessionTimes;
  readonly random?: string;
}

/** What TLS says to a node that is connected with `peer`. */
export function bindingTo(peer: TunnelMember, changes: Partial<DirectBinding> = {}): DirectBinding {
  return {
    mode: "direct",
    exporter: new Uint8Array(32).fill(7),
    peerKeyHash: peer.tlsKeyHash,
    peerSignedBy: () => true,
    ...changes,
  };
}

/** Two sessions and the messages between them. */
export class Pair {
  readonly dialler: TunnelSession;
  readonly listener: TunnelSession;
  /** Every effect so far, by side. */
  readonly effects: { readonly dialler: TunnelEffect[]; readonly listener: TunnelEffect[] } = { dialler: [], listener: [] };
  /** Messages under way to each side. */
  readonly toListener: Uint8Array[] = [];
  readonly toDialler: Uint8Array[] = [];
  now = 1_000;

  constructor(options: PairOptions = {}) {
    const dialler = options.dialler ?? edge;
    const listener = options.listener ?? gateway;
    const common = { random: seededRandom(options.random ?? "pair") };
    const { nodeId, member, signing } = dialler;
    const [session, first] = TunnelSession.dial(
      {
        ...common,
        nodeId,
        member,
        signing,
        trust: options.diallerTrust ?? world.trust,
        binding: options.diallerBinding ?? bindingTo(listener),
        peer: options.dialled ?? listener.nodeId,
        counter: options.counter ?? 1,
        heads: options.heads ?? [],
      },
      this.now,
      options.times,
    );
    this.dialler = session;
    this.listener = TunnelSession.listen(
      {
        ...common,
        nodeId: listener.nodeId,
        member: listener.member,
        signing: listener.signing,
        trust: options.listenerTrust ?? world.trust,
        binding: options.listenerBinding ?? bindingTo(dialler),
      },
      this.now,
      options.times,
    );
    this.take("dialler", first);
  }

  /** Carries out effects: messages go on their way, an authenticated dialler is admitted with `heads`. */
  take(side: "dialler" | "listener", effects: readonly TunnelEffect[], heads: readonly StreamHead[] = []): void {
    for (const effect of effects) {
      this.effects[side].push(effect);
      if (effect.kind === "send") (side === "dialler" ? this.toListener : this.toDialler).push(effect.bytes);
      if (effect.kind === "authenticated") this.take("listener", this.listener.admit(heads, this.now));
    }
  }

  /** Delivers one message, if one is under way. */
  step(side: "dialler" | "listener", heads: readonly StreamHead[] = []): boolean {
    const message = (side === "dialler" ? this.toDialler : this.toListener).shift();
    if (message === undefined) return false;
    this.take(side, this[side].receive(message, this.now), heads);
    return true;
  }

  /** Delivers until nothing is under way. */
  run(heads: readonly StreamHead[] = []): this {
    while (this.step("listener", heads) || this.step("dialler", heads)) {}
    return this;
  }

  /** Why a side closed; null where it did not. */
  code(side: "dialler" | "listener"): string | null {
    const closed = this.effects[side].find((effect) => effect.kind === "closed");
    return closed?.kind === "closed" ? closed.code : null;
  }

  /** Courier frames that a side has received. */
  frames(side: "dialler" | "listener"): string[] {
    return this.effects[side].flatMap((effect) =>
      effect.kind === "frame" ? [`${effect.frame}:${Buffer.from(effect.payload).toString("latin1")}`] : [],
    );
  }

  get open(): boolean {
    return this.dialler.state === "open" && this.listener.state === "open";
  }
}
