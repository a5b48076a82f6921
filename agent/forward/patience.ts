import type { Timers } from "../seams/index.ts";
import { ForwardError } from "./errors.ts";

/** Waits that end at their time, and all at once when nobody is to wait any more. */
export class Patience {
  readonly #timers: Timers;
  readonly #stop: AbortSignal;

  constructor(timers: Timers, stop: AbortSignal) {
    this.#timers = timers;
    this.#stop = stop;
  }

  /** Resolves after `ms`, or at the stop. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#stop.removeEventListener("abort", end);
        resolve();
      };
      const cancel = this.#timers.after(ms, end);
      if (this.#stop.aborted) end();
      else this.#stop.addEventListener("abort", end, { once: true });
    });
  }

  /** What `work` comes to; rejects with FORWARD_STALLED after `ms` and at the stop, whatever `work` does, and aborts its signal. */
  within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const given = new AbortController();
    return new Promise((resolve, reject) => {
      const end = () => {
        cancel();
        this.#stop.removeEventListener("abort", over);
      };
      const over = () => {
        end();
        given.abort();
        reject(
          new ForwardError("FORWARD_STALLED", `the collector did not answer, or took nothing, for ${ms / 1000} s`, {
            hint: "The collector hangs or is full, or a firewall drops packets on the way.",
          }),
        );
      };
      const cancel = this.#timers.after(ms, over);
      if (this.#stop.aborted) return over();
      this.#stop.addEventListener("abort", over, { once: true });
      work(given.signal).finally(end).then(resolve, reject);
    });
  }
}
