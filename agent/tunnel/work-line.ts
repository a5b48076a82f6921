/** Asynchronous work in named lines: one piece after the other within a line, lines beside each other. Keeps nothing once done. */
export class WorkLine {
  readonly #lines = new Map<string, Promise<void>>();
  readonly #failed: (error: unknown) => void;

  /** `failed` is told what a piece throws; what it throws itself is a bug and ends the process. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  add(line: string, work: () => Promise<void>): Promise<void> {
    const before = this.#lines.get(line);
    const run = before === undefined ? work() : before.then(work);
    const done = run.catch(this.#failed).finally(() => {
      if (this.#lines.get(line) === done) this.#lines.delete(line);
    });
    this.#lines.set(line, done);
    return done;
  }

  /** When all lines are empty. */
  async idle(): Promise<void> {
    while (this.#lines.size > 0) await Promise.all(this.#lines.values());
  }
}
