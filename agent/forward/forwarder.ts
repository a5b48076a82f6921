import { TidegateError } from "../../protocol/base/index.ts";
import type { Log } from "../log/index.ts";
import type { Seams } from "../seams/index.ts";
import { BackOff } from "../tunnel/index.ts";
import type { Collector, CollectorLink, ForwardStatus, LeafFeed } from "./contracts.ts";
import type { LeafReader, Prepared } from "./leaf-reader.ts";
import { dialMs, idleMs, leastUnproven, lookEveryMs, mostUnproven, mostUnprovenMs, stalledMs } from "./limits.ts";
import { Patience } from "./patience.ts";

export interface ForwarderOptions {
  /** Name of the target. */
  readonly name: string;
  readonly format: string;
  /** Where a target that never got anything begins. */
  readonly from: "start" | "now";
  readonly feed: LeafFeed;
  readonly reader: LeafReader;
  readonly collector: Collector;
  readonly seams: Pick<Seams, "clock" | "timers" | "random">;
  readonly log: Log;
}

/**
 * Sends one log to one collector, beside everything else: it looks at the log by itself, so no append knows of it, and holds one write in
 * memory. Neither TCP nor TLS tells what the other end has read, so a connection is ended now and then: only the collector's own end,
 * after ours, proves that it read everything, and only then the position is kept. Whatever else happens is sent again.
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #patience: Patience;
  readonly #backOff: BackOff;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** Next leaf that the collector is not known to have. */
  #next: number | null = null;
  #size = 0;
  #durable = 0;
  #unproven = leastUnproven;
  #state: ForwardStatus["state"] = "idle";
  #sent = 0;
  #missed = 0;
  #last: { readonly code: string; readonly hint: string | null } | null = null;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#patience = new Patience(options.seams.timers, this.#stop.signal);
    this.#backOff = new BackOff(options.seams.random);
    this.#running = this.#run();
  }

  status(): ForwardStatus {
    const { name, format, collector } = this.#options;
    return {
      name,
      to: collector.place,
      format,
      state: this.#state,
      next: this.#next,
      behind: this.#next === null ? 0 : Math.max(0, this.#size - this.#next),
      sent: this.#sent,
      missed: this.#missed,
      lastCode: this.#last?.code ?? null,
      lastHint: this.#last?.hint ?? null,
    };
  }

  /** Ends at once, whatever the collector does; what it is not known to have is sent after the next start. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#state = "closed";
  }

  get #closed(): boolean {
    return this.#stop.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#waitForLeaves();
        if (this.#closed) return;
        await this.#round(this.#next ?? 0);
        this.#last = null;
        this.#backOff.reset();
      } catch (error) {
        if (this.#closed) return;
        await this.#failed(error);
      }
    }
  }

  async #failed(error: unknown): Promise<void> {
    const code = error instanceof TidegateError ? error.code : "BUG";
    const delayMs = this.#backOff.next();
    const { name, log } = this.#options;
    if (this.#last?.code !== code || code === "BUG") log.warn("forward.failed", { name, code, error, delayMs });
    this.#last = { code, hint: (error instanceof TidegateError ? error.hint : undefined) ?? null };
    this.#unproven = leastUnproven;
    this.#state = "waiting";
    await this.#patience.pause(delayMs);
  }

  /** Resolves when there is something to send, or it is over. */
  async #waitForLeaves(): Promise<void> {
    this.#next ??= await this.#begin();
    while (!this.#closed && !(await this.#hasMore(this.#next))) {
      this.#state = "idle";
      await this.#patience.pause(lookEveryMs);
    }
  }

  async #begin(): Promise<number> {
    const { feed, name, from } = this.#options;
    const kept = await feed.position(name);
    this.#size = await feed.size();
    // A position behind the log's end is that of a log which was put back: what it had then is not what it has now.
    if (kept !== null) return Math.min(kept, this.#size);
    if (from === "start") return 0;
    await feed.settled();
    await feed.savePosition(name, this.#size);
    return this.#size;
  }

  /** Looks at the log; what is counted as durable no crash takes back. */
  async #hasMore(next: number): Promise<boolean> {
    const { feed } = this.#options;
    const size = await feed.size();
    this.#size = Math.max(this.#size, size);
    if (next < this.#durable) return true;
    if (size <= next) return false;
    await feed.settled();
    this.#durable = size;
    return true;
  }

  /** What comes next: past a gap, or over a connection. */
  async #round(next: number): Promise<void> {
    this.#state = "sending";
    const first = await this.#options.reader.read(next, this.#durable);
    if (first.gap === null) return this.#connection(next, first);
    const { log, feed } = this.#options;
    const { target, count, reason } = first.gap;
    log.warn("forward.gap", { name: target, count, reason });
    this.#next = next + count;
    this.#missed += count;
    await feed.savePast(first.gap);
  }

  /** One connection, from dialling to the proof that everything arrived. */
  async #connection(begin: number, first: Prepared & { readonly gap: null }): Promise<void> {
    const { collector, feed, name } = this.#options;
    const link = await this.#patience.within(dialMs, (signal) => collector.open(signal));
    try {
      const next = await this.#send(link, begin, first);
      await this.#patience.within(stalledMs, () => link.finish());
      this.#sent += next - begin;
      this.#next = next;
      await feed.savePosition(name, next);
      this.#unproven = Math.min(mostUnproven, this.#unproven * 2);
    } finally {
      link.destroy();
    }
  }

  /** Writes until enough is unproven, or nothing came for a while; the index after the last leaf written. */
  async #send(link: CollectorLink, begin: number, first: Prepared & { readonly gap: null }): Promise<number> {
    const { reader, seams } = this.#options;
    const begunMs = seams.clock.sinceBootMs();
    const end = begin + this.#unproven;
    for (let prepared: Prepared = first; ; ) {
      // What was written before a gap is proven first.
      if (prepared.gap !== null) return prepared.gap.from;
      const { bytes, next } = prepared;
      await this.#patience.within(stalledMs, () => link.write(bytes));
      const isEnough = next >= end || seams.clock.sinceBootMs() - begunMs >= mostUnprovenMs;
      if (isEnough || !(await this.#comesSoon(next))) return next;
      prepared = await reader.read(next, this.#durable);
    }
  }

  /** True as soon as there is a leaf at `next`; false where none comes for a while. */
  async #comesSoon(next: number): Promise<boolean> {
    for (let waitedMs = 0; !this.#closed; waitedMs += lookEveryMs) {
      if (await this.#hasMore(next)) return true;
      if (waitedMs >= idleMs) return false;
      await this.#patience.pause(lookEveryMs);
    }
    return false;
  }
}
