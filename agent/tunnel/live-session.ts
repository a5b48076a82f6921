import { TidegateError, toHex } from "../../protocol/base/index.ts";
import { Courier, type CourierEffect, type CourierItem, type ItemKey, type ItemOutcome } from "../../protocol/courier/index.ts";
import { codeOfReason, type TunnelEffect, type TunnelPeer, type TunnelSession } from "../../protocol/tunnel/index.ts";
import { floodQueueBytes, maxWaitingSteps, sendQueueBytes } from "./limits.ts";
import type { MessageStream } from "./message-stream.ts";
import type { SessionFacts, TunnelNode } from "./tunnel-node.ts";
import { WorkLine } from "./work-line.ts";

/** What a session tells the dialler or listener that holds it. */
export interface LiveSessionHooks {
  /** Listener only: null takes the peer in, a code refuses it. */
  authenticated(peer: TunnelPeer, counter: number): string | null;
  opened(facts: SessionFacts): void;
  itemRefused(peer: TunnelPeer, item: ItemKey, outcome: ItemOutcome): void;
  /** Exactly once, when the connection is gone and the store has nothing of this session in hand. */
  closed(peer: TunnelPeer | null, code: string): void;
}

export interface LiveSessionOptions {
  readonly node: TunnelNode;
  readonly stream: MessageStream;
  readonly direction: SessionFacts["direction"];
  readonly session: TunnelSession;
  /** Effects of making the session. */
  readonly first: readonly TunnelEffect[];
  readonly hooks: LiveSessionHooks;
}

/** One session on one connection: carries out the effects of session and courier, and nothing of it remains once `closed` was told. */
export class LiveSession {
  readonly #options: LiveSessionOptions;
  readonly #courier = new Courier();
  readonly #work = new WorkLine((error) => this.#fail(error));
  #effects: TunnelEffect[] = [];
  #waiting = false;
  #peer: TunnelPeer | null = null;
  #opened: { readonly session: string; readonly sinceMs: number } | null = null;
  #code: string | null = null;
  #streamEnded = false;
  #settled = false;
  #timer: { readonly at: number; readonly cancel: () => void } | null = null;
  #pulling = false;
  #pullAgain = false;
  #heardMs: number | null = null;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
    options.stream.start({
      message: (bytes) => {
        this.#heardMs = this.#now();
        this.#run(options.session.receive(bytes, this.#heardMs));
      },
      drained: () => this.#pump(),
      closed: (reason) => this.#lost(reason),
    });
    this.#run(options.first);
  }

  /** Null until the session is open and once it is closed. */
  get facts(): SessionFacts | null {
    const { session, stream, direction } = this.#options;
    const lastHeardMs = session.lastHeard;
    if (this.#peer === null || this.#opened === null || lastHeardMs === null) return null;
    const { session: name, sinceMs } = this.#opened;
    return { peer: this.#peer, direction, remote: stream.remote, connectedSinceMs: sinceMs, lastHeardMs, session: name };
  }

  /** When the peer last said anything, since-boot milliseconds; kept after the end. */
  get lastHeardMs(): number | null {
    return this.#heardMs;
  }

  /** Something to send was stored. */
  wake(): void {
    this.#pull();
  }

  /** Ends the session and tells the peer why. Idempotent. */
  end(code: string): void {
    this.#run(this.#options.session.end(code));
  }

  #now(): number {
    return this.#options.node.seams.clock.sinceBootMs();
  }

  get #isOpen(): boolean {
    return this.#opened !== null && this.#options.session.state === "open";
  }

  #run(effects: readonly TunnelEffect[]): void {
    for (const effect of effects) this.#effects.push(effect);
    // The end overtakes: what waits for a store that never answers must not hold a connection open.
    const last = this.#effects.at(-1);
    if (this.#waiting && last?.kind === "closed") {
      this.#effects = [];
      this.#finish(last.code, last.reason);
      return;
    }
    if (this.#effects.length > maxWaitingSteps) this.end("TUNNEL_FLOOD");
    this.#drain();
    this.#arm();
  }

  /** One effect after the other; those that wait for the store hold up the rest. */
  #drain(): void {
    while (!this.#waiting) {
      const effect = this.#effects.shift();
      if (effect === undefined) return;
      const wait = this.#carryOut(effect);
      if (wait === undefined) continue;
      this.#waiting = true;
      void this.#work.add("step", async () => {
        try {
          await wait();
        } finally {
          this.#waiting = false;
        }
        this.#drain();
        this.#arm();
      });
    }
  }

  /** Does it now, or returns what to wait for. */
  #carryOut(effect: TunnelEffect): (() => Promise<void>) | undefined {
    const { node } = this.#options;
    switch (effect.kind) {
      case "send":
        return this.#send(effect.bytes);
      case "frame":
        return this.#courierFrame(effect);
      case "closed":
        return this.#finish(effect.code, effect.reason);
      case "learn":
        return async () => node.learn(effect.statements);
      case "authenticated":
        return () => this.#admit(effect.peer, effect.counter);
      case "opened":
        return () => this.#open(effect);
    }
  }

  async #admit(peer: TunnelPeer, counter: number): Promise<void> {
    const { node, session, hooks } = this.#options;
    this.#peer = peer;
    const refusal = hooks.authenticated(peer, counter);
    if (refusal !== null) return this.end(refusal);
    const heads = await node.mailroom.heads(peer.nodeId);
    this.#effects.unshift(...session.admit(heads, this.#now()));
  }

  async #open(effect: TunnelEffect & { kind: "opened" }): Promise<void> {
    const { node, hooks, session } = this.#options;
    this.#peer = effect.peer;
    await node.mailroom.opened(effect.peer, effect.heads);
    if (session.state !== "open") return;
    this.#opened = { session: effect.session, sinceMs: this.#now() };
    if (this.facts !== null) hooks.opened(this.facts);
    this.#courierEffects(this.#courier.open());
    this.#pull();
  }

  #send(bytes: Uint8Array): undefined {
    const { stream } = this.#options;
    stream.send(bytes);
    if (stream.queuedBytes > floodQueueBytes && this.#code === null) this.end("TUNNEL_FLOOD");
  }

  #courierFrame(effect: TunnelEffect & { kind: "frame" }): undefined {
    this.#checked(() => this.#courierEffects(this.#courier.receive(effect.frame, effect.payload, this.#now())));
    this.#pump();
  }

  #courierEffects(effects: readonly CourierEffect[]): void {
    for (const effect of effects) {
      if (!this.#isOpen) return;
      if (effect.kind === "send") this.#send(this.#options.session.frame(effect.frame, ...effect.payload));
      else if (effect.kind === "item") void this.#work.add(toHex(effect.item.mailbox), () => this.#store(effect.item));
      else void this.#work.add("answers", () => this.#note(effect.key, effect.outcome));
    }
  }

  async #store(item: CourierItem): Promise<void> {
    const { node, hooks } = this.#options;
    if (!this.#isOpen || this.#peer === null) return;
    const outcome = await node.mailroom.accept(this.#peer, item);
    if (outcome !== "stored") hooks.itemRefused(this.#peer, item, outcome);
    if (this.#isOpen) this.#courierEffects(this.#courier.settled(item, outcome));
  }

  async #note(key: ItemKey, outcome: ItemOutcome): Promise<void> {
    const { node, hooks } = this.#options;
    if (this.#peer === null) return;
    if (outcome !== "stored") hooks.itemRefused(this.#peer, key, outcome);
    await node.mailroom.acknowledged(this.#peer, key, outcome);
    this.#courier.released(key);
    this.#pull();
    this.#arm();
  }

  /** Asks the outbox while there is room; one question at a time. */
  #pull(): void {
    this.#pullAgain = true;
    if (this.#pulling || !this.#isOpen) return;
    this.#pulling = true;
    void this.#work.add("outgoing", async () => {
      try {
        while (this.#pullAgain && this.#isOpen) await this.#pullOnce();
      } finally {
        this.#pulling = false;
        this.#arm();
      }
    });
  }

  async #pullOnce(): Promise<void> {
    const { node } = this.#options;
    this.#pullAgain = false;
    const request = this.#courier.request(this.#now());
    if (request === null || this.#peer === null) return;
    const items = await node.mailroom.outgoing(this.#peer, request);
    if (!this.#isOpen) return;
    if (this.#courier.offer(items) > 0) this.#pullAgain = true;
    this.#pump();
  }

  /** Hands parts to the connection while it takes them. */
  #pump(): void {
    const { stream, session } = this.#options;
    while (this.#isOpen && stream.queuedBytes < sendQueueBytes) {
      const part = this.#courier.next();
      if (part === null) return;
      this.#send(session.frame(part.frame, ...part.payload));
    }
  }

  /** One timer, set again only when it fires or must fire sooner: a busy session moves its deadline with every frame. */
  #arm(): void {
    const { session, node } = this.#options;
    const deadline = session.deadline;
    if (deadline === null) return;
    // A question under way asks for what was full too; its end arms again.
    const at = this.#pulling ? deadline : Math.min(deadline, this.#courier.retryAt ?? deadline);
    if (this.#timer !== null && this.#timer.at <= at) return;
    this.#timer?.cancel();
    const cancel = node.seams.timers.after(Math.max(0, at - this.#now()), () => this.#tick());
    this.#timer = { at, cancel };
  }

  #tick(): void {
    this.#timer = null;
    const { retryAt } = this.#courier;
    if (retryAt !== null && retryAt <= this.#now()) this.#pull();
    this.#run(this.#options.session.tick(this.#now()));
  }

  /** Our own error: the session ends with its code. A bug of ours goes on to end the process. */
  #fail(error: unknown): void {
    if (!(error instanceof TidegateError)) throw error;
    this.end(error.code);
  }

  #checked(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #lost(reason: number | null): void {
    this.#streamEnded = true;
    this.#run(this.#options.session.lost(reason === null ? "TUNNEL_CUT" : codeOfReason(reason)));
    this.#settle();
  }

  #finish(code: string, reason: number): undefined {
    if (this.#code !== null) return;
    this.#code = code;
    this.#timer?.cancel();
    this.#timer = null;
    this.#options.stream.close(reason);
    this.#settle();
  }

  /** Tells the end once the connection is gone and the store is done. */
  #settle(): void {
    const code = this.#code;
    if (code === null || !this.#streamEnded || this.#settled) return;
    this.#settled = true;
    void this.#work.idle().then(() => this.#options.hooks.closed(this.#peer, code));
  }
}
