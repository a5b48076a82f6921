import type { Timers } from "../seams/index.ts";
import { ApiError } from "./errors.ts";
import { apiLimits } from "./limits.ts";

/** A read that waits for another version. */
export interface Waiting {
  readonly path: string;
  /** Application id. */
  readonly application: string;
  readonly waitMs: number;
  /** Reads once more: something changed, or, with `last`, its time is over. */
  again(last: boolean): void;
}

/** Reads that wait for a change, bounded for each application and in all; one costs a timer and a place here, and nothing until it wakes. */
export class Waiters {
  readonly #timers: Timers;
  readonly #waiting = new Map<Waiting, () => void>();
  #closed = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get count(): number {
    return this.#waiting.size;
  }

  /** Returns how to end it unheard. Throws API_WAITERS_FULL. */
  add(waiting: Waiting): () => void {
    const own = [...this.#waiting.keys()].filter(({ application }) => application === waiting.application).length;
    if (own >= apiLimits.waitersPerApplication || this.#waiting.size >= apiLimits.waiters) {
      throw new ApiError("API_WAITERS_FULL", "too many reads wait for a change", {
        hint: "One for each path and process is enough; ask again without waitMs meanwhile.",
      });
    }
    const cancel = this.#timers.after(this.#closed ? 0 : waiting.waitMs, () => this.#end(waiting, true));
    this.#waiting.set(waiting, cancel);
    return () => this.#forget(waiting);
  }

  /** What is at this path, or anywhere, changed: they look again once whoever changed it is done. */
  changed(path?: string): void {
    if (this.#waiting.size === 0) return;
    const woken = [...this.#waiting.keys()].filter((each) => path === undefined || each.path === path);
    if (woken.length > 0) setImmediate(() => woken.forEach((each) => void this.#end(each, false)));
  }

  /** All are answered as if their time were over. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const waiting of [...this.#waiting.keys()]) this.#end(waiting, true);
  }

  #end(waiting: Waiting, last: boolean): void {
    if (this.#forget(waiting)) waiting.again(last);
  }

  /** False where it was answered already. */
  #forget(waiting: Waiting): boolean {
    const cancel = this.#waiting.get(waiting);
    cancel?.();
    return this.#waiting.delete(waiting);
  }
}
