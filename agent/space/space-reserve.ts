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

  constructor({ path, bytes, random }: SpaceReserveOptions) {
    this.#path = path;
    this.bytes = bytes;
    this.#random = random;
    this.#held = sizeOf(path);
  }

  /** True where all of it is there. */
  get whole(): boolean {
    return this.#held >= this.bytes;
  }

  /** Gives the room up at once; false where nothing was held. Never throws: it is called where the disk has failed. */
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
    return true;
  }

  /** Takes what is missing; what does not fit is given back. Throws what the file system throws. */
  async keep(): Promise<void> {
    if (this.whole) return;
    const { O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
    const file = await open(this.#path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);
    // Bytes that nothing can make smaller: a file system that compresses would keep no room for zeros.
    const chunk = this.#random(chunkBytes);
    try {
      for (let at = 0; at < this.bytes; at += chunkBytes) await file.write(chunk, 0, chunkBytes, at);
      await file.sync();
      this.#held = this.bytes;
    } catch (error) {
      await file.truncate(0);
      this.#held = 0;
      throw error;
    } finally {
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
