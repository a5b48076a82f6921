import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { concat, sameSecret, u64be } from "../../protocol/base/index.ts";

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
  /** As an object, for from bytes the runtime would make one for each tag, which takes five times as long as the tag. */
  readonly #key: KeyObject;
  #unsynced = 0;
  #closed = false;

  /** Takes over `key`, 32 bytes. */
  constructor(path: string, key: Uint8Array) {
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    this.#key = createSecretKey(key);
    key.fill(0);
  }

  /** The highest generation with a good tag, or null where there is none. */
  read(): number | null {
    const generations = [0, 1].map((slot) => this.#readSlot(slot)).filter((generation) => generation !== null);
    return generations.length === 0 ? null : Math.max(...generations);
  }

  /** Notes that the store has durably reached `generation`. */
  write(generation: number): void {
    const counter = u64be(generation);
    writeSync(this.#descriptor, concat(counter, this.#tag(counter)), 0, slotBytes, (generation % 2) * slotBytes);
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

  #tag(counter: Uint8Array): Uint8Array {
    return createHmac("sha256", this.#key).update(counter).digest();
  }

  #readSlot(slot: number): number | null {
    const bytes = new Uint8Array(slotBytes);
    if (readSync(this.#descriptor, bytes, 0, slotBytes, slot * slotBytes) !== slotBytes) return null;
    const counter = bytes.subarray(0, 8);
    if (!sameSecret(this.#tag(counter), bytes.subarray(8))) return null;
    return Number(new DataView(bytes.buffer).getBigUint64(0));
  }
}
