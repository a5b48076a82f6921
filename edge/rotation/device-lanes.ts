/** One session at a time on each device: work waits for what was begun there before it. */
export class DeviceLanes {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `work`, which never rejects but for a bug of ours, behind what is under way on the device. */
  run(device: string, work: () => Promise<void>): void {
    const before = this.#last.get(device) ?? Promise.resolve();
    const done = before.then(work).finally(() => {
      if (this.#last.get(device) === done) this.#last.delete(device);
    });
    this.#last.set(device, done);
  }

  /** Resolves when what is under way now is done. */
  async idle(): Promise<void> {
    await Promise.all(this.#last.values());
  }
}
