import { closeSync, constants, fstatSync, ftruncateSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Random } from "../../protocol/base/index.ts";
import { chunkBytes } from "./limits.ts";

export interface SpaceReserveOptions {
  readonly path: string;
  /** How much is kept; a whole number of MiB. */
  readonly bytes: number;
  readonly random: Random;
}

/** Room on the disk that a node keeps for itself in a file, and gives to its store where the disk is full. */
export class SpaceReserve {
  readonly bytes: number;
  readonly #path: string;
  readonly #random: Random;
  #held: number;
  #filling: Promise<void> | null = null;
  /** What is being taken was given up meanwhile: none of it is kept. */
  #givenUp = false;

  constructor({ path, bytes, random }: SpaceReserveOptions) {
    this.#path = path;
    this.bytes = bytes;
    this.#random = random;
    this.#held = sizeOf(path);
  }

  /** True where all of it is there. */
  get whole(): boolean {
    return this.#filling === null && this.#held >= this.bytes;
  }

  /** Gives the room up at once, also what is just being taken; false where nothing was held. Never throws: it is called where the disk has failed. */
  release(): boolean {
    if (this.#held === 0) return false;
    try {
      const descriptor = openSync(this.#path, constants.O_WRONLY | constants.O_NOFOLLOW);
      try {
        ftruncateSync(descriptor, 0);
      } finally {
        closeSync(descriptor);
      }
    } catch {
      return false;
    }
    this.#held = 0;
    this.#givenUp = true;
    return true;
  }

  /** Takes what is missing; what does not fit, or was given up meanwhile, is given back. Throws what the file system throws. */
  async keep(): Promise<void> {
    if (this.whole) return;
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = null;
    });
    await this.#filling;
  }

  async #fill(): Promise<void> {
    const { O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
    const file = await open(this.#path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);
    // Bytes that nothing can make smaller: a file system that compresses would keep no room for zeros.
    const chunk = this.#random(chunkBytes);
    this.#givenUp = false;
    try {
      for (let at = 0; at < this.bytes && !this.#givenUp; ) {
        at += (await file.write(chunk, 0, Math.min(chunkBytes, this.bytes - at), at)).bytesWritten;
        if (!this.#givenUp) this.#held = Math.max(this.#held, at);
      }
      await file.sync();
    } catch (error) {
      this.#givenUp = true;
      throw error;
    } finally {
      if (this.#givenUp) {
        // A write that was under way while the room was given up has taken some of it again.
        await file.truncate(0);
        this.#held = 0;
      }
      await file.close();
    }
  }
}

function sizeOf(path: string): number {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return fstatSync(descriptor).size;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return 0;
  }
}
