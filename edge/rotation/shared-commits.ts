import type { Timers } from "../../agent/seams/index.ts";
import type { Store } from "../../agent/store/index.ts";

/** Answers in one commit: more save little of the disk's time, and keep applications and further answers waiting. */
const mostTogether = 32;

interface Waiting {
  readonly work: () => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Work that came about the same time, done in one commit: with many devices at once each wait for the disk is shared by all whose
 * answers have come meanwhile.
 */
export class SharedCommits {
  readonly #store: Store;
  readonly #timers: Timers;
  readonly #waiting: Waiting[] = [];
  #after: (() => void)[] | null = null;
  #closed = false;

  constructor(store: Store, timers: Timers) {
    this.#store = store;
    this.#timers = timers;
  }

  /** Resolves once what `work` wrote is durable. Rejects with STORE_* where the commit fails, and with what `work` throws. */
  add(work: () => void): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ work, done, failed });
      if (this.#closed) this.#run();
      else if (this.#waiting.length === 1) this.#timers.after(0, () => this.#run());
    });
  }

  /** Does `work` in one commit, durable when this returns. Throws STORE_* where the commit fails, and what `work` throws. */
  now(work: () => void): void {
    if (this.#after !== null) return work();
    const after: (() => void)[] = [];
    this.#after = after;
    try {
      this.#store.together(work);
    } finally {
      this.#after = null;
    }
    for (const then of after) then();
  }

  /** Calls `then` once what this work writes is durable. */
  after(then: () => void): void {
    if (this.#after === null) then();
    else this.#after.push(then);
  }

  /** Nothing waits for others any more. */
  close(): void {
    this.#closed = true;
    this.#run();
  }

  #run(): void {
    const batch = this.#waiting.splice(0, this.#closed ? this.#waiting.length : mostTogether);
    if (batch.length === 0) return;
    if (this.#waiting.length > 0) this.#timers.after(0, () => this.#run());
    // What one of them throws is its own.
    const settle: (() => void)[] = [];
    try {
      this.now(() => {
        for (const { work, done, failed } of batch) {
          try {
            work();
            settle.push(done);
          } catch (error) {
            settle.push(() => failed(error));
          }
        }
      });
    } catch (error) {
      for (const { failed } of batch) failed(error);
      return;
    }
    for (const each of settle) each();
  }
}
