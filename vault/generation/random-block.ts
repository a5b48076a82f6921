import type { Random } from "../../protocol/base/index.ts";
import { blockBytes } from "./limits.ts";

/** Random bytes, drawn a block at a time: a call into the machine's source costs as much for one byte as for many. Each is given once. */
export class RandomBlock {
  readonly #random: Random;
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The next `count` bytes as a number, the first one the highest; of seven bytes the 53 bits that a double holds exactly. They are wiped here. */
  next(count: number): number {
    if (this.#at + count > this.#block.length) {
      this.wipe();
      this.#block = this.#random(blockBytes);
    }
    const bytes = this.#block.subarray(this.#at, this.#at + count);
    this.#at += count;
    if (count === 7) bytes[0] = (bytes[0] ?? 0) & 0x1f;
    let value = 0;
    for (const byte of bytes) value = value * 256 + byte;
    bytes.fill(0);
    return value;
  }

  /** Wipes what was not given. */
  wipe(): void {
    this.#block.fill(0);
    this.#at = 0;
    this.#block = new Uint8Array(0);
  }
}
