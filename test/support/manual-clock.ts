import type { Clock, Timers } from "../../agent/seams/index.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Clock and timers that move only when told to. */
export class ManualClock implements Clock, Timers {
  #now = 1_000_000;
  #order = 0;
  readonly #timers = new Set<Timer>();
  boot = "boot-a";
  wall = 0;

  wallMs(): number {
    return this.wall;
  }

  sinceBootMs(): number {
    return this.#now;
  }

  bootId(): string {
    return this.boot;
  }

  /** Timers that would still fire. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds to the next timer; null where there is none. */
  get nextInMs(): number | null {
    const next = this.#next();
    return next === undefined ? null : next.at - this.#now;
  }

  after(delayMs: number, fire: () => void): () => void {
    this.#order += 1;
    const timer = { at: this.#now + delayMs, order: this.#order, fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets `ms` pass, firing what falls due in order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    // What was caused before still happens at the old time.
    await settled();
    const end = this.#now + ms;
    for (let next = this.#next(); next !== undefined && next.at <= end; next = this.#next()) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      await settled();
    }
    this.#now = end;
    await settled();
  }

  #next(): Timer | undefined {
    return [...this.#timers].sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }
}

/** Every promise and microtask that needs no outside event is done. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
