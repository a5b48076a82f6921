import { closeSync, constants, fdatasync, openSync } from "node:fs";
import type { Failpoint } from "../seams/index.ts";

/** Syncs the store's journal in libuv's threads, on a descriptor of its own: the event loop goes on meanwhile. */
export class JournalSync {
  readonly #path: string;
  readonly #failpoint: Failpoint;
  #descriptor: number | null = null;
  #last: Promise<void> = Promise.resolve();

  /** `path` is the open database's. `failpoint` names `store.before-sync`. */
  constructor(path: string, failpoint: Failpoint) {
    this.#path = `${path}-wal`;
    this.#failpoint = failpoint;
  }

  /**
   * Resolves when all that was written before the call is on the disk. One at a time, for the kernel tells a descriptor once of a
   * failed write, and a second sync beside it would seem to work. After one that failed each fails with it, without a sync.
   */
  sync(): Promise<void> {
    this.#last = this.#after(this.#last);
    return this.#last;
  }

  /** Closes the descriptor once no thread uses it; `sync` is not called again. */
  close(): void {
    const close = () => {
      if (this.#descriptor !== null) closeSync(this.#descriptor);
    };
    this.#last.then(close, close);
  }

  async #after(before: Promise<void>): Promise<void> {
    // At once, for by its turn the store may have closed and SQLite have removed the file.
    this.#descriptor ??= openSync(this.#path, constants.O_RDWR | constants.O_NOFOLLOW);
    await before;
    this.#failpoint("store.before-sync");
    await syncData(this.#descriptor);
  }
}

function syncData(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });
}
