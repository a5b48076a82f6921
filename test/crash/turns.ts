/** Lets many work beside each other, or one alone; whoever wants to be alone waits for those at work, and the next ones wait for it. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #beside: Promise<unknown>[] = [];

  beside<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#beside.push(done.catch(() => {}));
    return done;
  }

  alone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#beside;
    this.#beside = [];
    const done = this.#last.then(() => Promise.all(before)).then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
