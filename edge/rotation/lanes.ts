/** Exchanges at once, over all devices: what one process per adapter drives at ease. */
export const mostAtOnce = 64;

/** Waits for room, and holds it until `work` has ended. */
export type InRoom = <T>(work: () => T | Promise<T>) => Promise<T>;

/**
 * Work that goes one after the other in its lane, so that each device has one session at a time, and side by side with other lanes. Room
 * is for `most` at once, and only for as long as the work says: while an answer is written down, others are under way. Whoever waits for
 * room goes in the order in which it came.
 */
export class Lanes {
  readonly #last = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #room: number;

  constructor(most = mostAtOnce) {
    this.#room = most;
  }

  /** Begins `work` when everything before it in the lane has ended. */
  add(lane: string, work: (inRoom: InRoom) => Promise<void>): void {
    const done = (this.#last.get(lane) ?? Promise.resolve())
      .then(() => work((part) => this.#inRoom(part)))
      .finally(() => {
        if (this.#last.get(lane) === done) this.#last.delete(lane);
      });
    this.#last.set(lane, done);
  }

  /** Resolves when all that was begun has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }

  async #inRoom<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#room > 0) this.#room -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#room += 1;
      else next();
    }
  }
}
