/** Exchanges at once, over all devices: what one process per adapter drives at ease. */
export const mostAtOnce = 64;

/**
 * Work that goes one after the other in its lane, so that each device has one session at a time, and side by side with other lanes, up to
 * `most` at once; whoever waits for room goes in the order in which it came.
 */
export class Lanes {
  readonly #last = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #room: number;

  constructor(most = mostAtOnce) {
    this.#room = most;
  }

  /** Begins `work` when everything before it in the lane has ended and there is room. */
  add(lane: string, work: () => Promise<void>): void {
    const done = (this.#last.get(lane) ?? Promise.resolve())
      .then(() => this.#inRoom(work))
      .finally(() => {
        if (this.#last.get(lane) === done) this.#last.delete(lane);
      });
    this.#last.set(lane, done);
  }

  /** Resolves when all that was begun has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }

  async #inRoom(work: () => Promise<void>): Promise<void> {
    if (this.#room > 0) this.#room -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#room += 1;
      else next();
    }
  }
}
