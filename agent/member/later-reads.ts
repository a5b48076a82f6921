/** A person's read: path, version and application id. */
type PersonRead = readonly [path: string, version: string, application: string];

/**
 * Reads by persons, told once their answers are on their way, which is at the end of the turn of the event loop: what follows from them is
 * written to the disk, which no reader waits for.
 */
export class LaterReads {
  readonly #tell: (...read: PersonRead) => void;
  #waiting: PersonRead[] = [];

  constructor(tell: (...read: PersonRead) => void) {
    this.#tell = tell;
  }

  add(read: PersonRead): void {
    if (this.#waiting.push(read) === 1) setImmediate(() => setImmediate(() => this.tell()));
  }

  /** Tells what waits now; at the end, so that none is forgotten. */
  tell(): void {
    const reads = this.#waiting;
    this.#waiting = [];
    for (const read of reads) this.#tell(...read);
  }
}
