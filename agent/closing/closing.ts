/** Steps that undo what was started, the last first. */
export class Closing {
  readonly #steps: (() => unknown)[] = [];
  #done: Promise<void> | null = null;

  push(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Idempotent. */
  run(): Promise<void> {
    this.#done ??= this.#all();
    return this.#done;
  }

  async #all(): Promise<void> {
    for (const step of this.#steps.reverse()) await step();
  }
}
