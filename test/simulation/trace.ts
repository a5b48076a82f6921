import { createHash, type Hash } from "node:crypto";

/** What happened, one line a step: kept where somebody wants to read it, else only its hash. No bytes of a ciphertext stand in it. */
export class Trace {
  readonly #hash: Hash = createHash("sha256");
  readonly lines: string[] | null;
  length = 0;

  constructor(kept: boolean) {
    this.lines = kept ? [] : null;
  }

  add(line: string): void {
    this.#hash.update(line);
    this.#hash.update("\n");
    this.length += 1;
    this.lines?.push(line);
  }

  /** Of all lines so far; the trace goes on. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }
}
