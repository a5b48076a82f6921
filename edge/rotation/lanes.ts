/** Work that goes one after the other in its lane, and side by side with other lanes: one session at a time on each device. */
export class Lanes {
  readonly #last = new Map<string, Promise<void>>();

  /** Begins `work` when everything before it in the lane has ended. */
  add(lane: string, work: () => Promise<void>): void {
    const done = (this.#last.get(lane) ?? Promise.resolve()).then(work).finally(() => {
      if (this.#last.get(lane) === done) this.#last.delete(lane);
    });
    this.#last.set(lane, done);
  }

  /** Resolves when all that was begun has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
