import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { concat, sameSecret, u64be } from "../../protocol/base/index.ts";
import { markTag } from "./row-seal.ts";

const slotBytes = 40;
/** A mark that lags by so many commits is synced; it may lag, it can never lead. */
const commitsPerSync = 256;

/**
 * The highest generation that the store has reached, in a file apart from it: a store that is older than its mark was rolled
 * back, or lost acknowledged transactions to damage in the middle of its journal. Two slots in turn, each generation (8) and
 * HMAC (32), so that a torn write leaves the other one.
 */
export class HighWaterMark {
  readonly #descriptor: number;
  readonly #key: Uint8Array;
  #unsynced = 0;
  #closed = false;

  constructor(path: string, key: Uint8Array) {
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    this.#key = key;
  }

  /** The highest generation with a good tag, or null where there is none. */
  read(): number | null {
    const generations = [0, 1].map((slot) => this.#readSlot(slot)).filter((generation) => generation !== null);
    return generations.length === 0 ? null : Math.max(...generations);
  }

  /** Notes that the store has durably reached `generation`. */
  write(generation: number): void {
    const counter = u64be(generation);
    writeSync(this.#descriptor, concat(counter, markTag(this.#key, counter)), 0, slotBytes, (generation % 2) * slotBytes);
    this.#unsynced += 1;
    if (this.#unsynced >= commitsPerSync) this.#sync();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#sync();
    } finally {
      closeSync(this.#descriptor);
    }
  }

  #sync(): void {
    this.#unsynced = 0;
    fsyncSync(this.#descriptor);
  }

  #readSlot(slot: number): number | null {
    const bytes = new Uint8Array(slotBytes);
    if (readSync(this.#descriptor, bytes, 0, slotBytes, slot * slotBytes) !== slotBytes) return null;
    const counter = bytes.subarray(0, 8);
    if (!sameSecret(markTag(this.#key, counter), bytes.subarray(8))) return null;
    return Number(new DataView(bytes.buffer).getBigUint64(0));
  }
}
