import { assert } from "./assert.ts";
import { sameBytes } from "./bytes.ts";
import { sha256 } from "./sha256.ts";
import { sha256Module } from "./sha256-module.ts";

/** Messages that are hashed at once. */
const lanes = 4;
const blockBytes = 64;
const digestBytes = 32;
/** FIPS 180-4 section 5.1.1: at least a byte that ends the message, and its length in bits. */
const [endByte, lengthBytes] = [0x80, 8];

/** The most messages of one call. */
export const maxLaneMessages = 256;
/** The longest message, without its first byte. */
export const maxLaneBytes = 8 * 1024;

/** Where each lane's padded message stands, then what is hashed pair by pair, then the digests: less than the module's 64 KiB. */
const slotBytes = maxLaneBytes + 2 * blockBytes;
const sourceAt = lanes * slotBytes;
const digestsAt = sourceAt + maxLaneMessages * digestBytes;

type HashFour = (m0: number, m1: number, m2: number, m3: number, blocks: number, ...digests: readonly number[]) => void;

/** The part of the runtime's WebAssembly that is used; Node's types leave it out. */
interface WebAssembly {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Exports };
}

interface Exports {
  readonly hash: HashFour;
  readonly memory: { readonly buffer: ArrayBuffer };
}

/**
 * SHA-256 of many short messages, each behind one byte that all have in common, four at a time in the processor's vectors: the runtime's own
 * hash takes three times as long for a message of some hundred bytes, half of it for the call. For what is public: messages stay in the memory.
 */
export class Sha256Lanes {
  readonly #hashFour: HashFour;
  readonly #memory: Uint8Array;
  /** Messages that wait for others of as many blocks, by their number of blocks. */
  readonly #waiting: number[][] = [];

  private constructor({ hash, memory }: Exports) {
    this.#hashFour = hash;
    this.#memory = new Uint8Array(memory.buffer);
  }

  /** Null where the runtime has no WebAssembly with vectors, or `module` hashes wrong by it. */
  static ofRuntime(module = sha256Module()): Sha256Lanes | null {
    const { WebAssembly: runtime } = globalThis as unknown as { readonly WebAssembly?: WebAssembly };
    if (runtime === undefined || !runtime.validate(module)) return null;
    const made = new Sha256Lanes(new runtime.Instance(new runtime.Module(module)).exports);
    const sample = Uint8Array.from({ length: 2 * lanes * digestBytes }, (_, at) => at);
    const digests = made.hashPairs(1, sample);
    for (let lane = 0; lane < lanes; lane += 1) {
      const message = Uint8Array.of(1, ...sample.subarray(2 * lane * digestBytes, 2 * (lane + 1) * digestBytes));
      if (!sameBytes(digests.subarray(lane * digestBytes, (lane + 1) * digestBytes), sha256(message))) return null;
    }
    return made;
  }

  /** The digests of `messages`, at most 256 of at most 8 KiB each, one after another. */
  hashEach(first: number, messages: readonly Uint8Array[]): Uint8Array {
    assert(messages.length <= maxLaneMessages, "as many messages as the memory has digests");
    for (const [at, { length }] of messages.entries()) {
      assert(length <= maxLaneBytes, "a message of at most 8 KiB");
      const blocks = blocksOf(1 + length);
      this.#waiting[blocks] ??= [];
      const alike = this.#waiting[blocks];
      if (alike.push(at) === lanes) this.#hashAlike(first, messages, alike);
    }
    for (const alike of this.#waiting) if (alike !== undefined && alike.length > 0) this.#hashAlike(first, messages, alike);
    return this.#digests(messages.length);
  }

  /** The digests of the pairs of digests in `pairs`, at most 128 of them, one after another. */
  hashPairs(first: number, pairs: Uint8Array): Uint8Array {
    const pairBytes = 2 * digestBytes;
    const count = pairs.length / pairBytes;
    assert(Number.isInteger(count) && count <= maxLaneMessages / 2, "whole pairs, as many as fit");
    this.#memory.set(pairs, sourceAt);
    for (let slot = 0; slot < lanes; slot += 1) this.#pad(slot, first, pairBytes);
    for (let at = 0; at < count; at += lanes) {
      for (let slot = 0; slot < Math.min(lanes, count - at); slot += 1) {
        const from = sourceAt + (at + slot) * pairBytes;
        this.#memory.copyWithin(slot * slotBytes + 1, from, from + pairBytes);
      }
      // Lanes without a pair hash what stood there, and nobody takes their digest.
      this.#run(blocksOf(1 + pairBytes), [at, at + 1, at + 2, at + 3]);
    }
    return this.#digests(count);
  }

  /** Hashes those messages, which have as many blocks, and takes them off the list. */
  #hashAlike(first: number, messages: readonly Uint8Array[], alike: number[]): void {
    let blocks = 0;
    for (const [slot, at] of alike.entries()) {
      const message = messages[at] as Uint8Array;
      blocks = this.#pad(slot, first, message.length);
      this.#memory.set(message, slot * slotBytes + 1);
    }
    const alone = alike.length === 1 ? alike[0] : undefined;
    if (alone !== undefined) {
      const digest = sha256(this.#memory.subarray(0, 1 + (messages[alone] as Uint8Array).length));
      this.#memory.set(digest, digestsAt + alone * digestBytes);
    } else {
      // Lanes that are left over go where nobody looks.
      while (alike.length < lanes) alike.push(maxLaneMessages);
      this.#run(blocks, alike);
    }
    alike.length = 0;
  }

  #run(blocks: number, places: readonly number[]): void {
    const [a = 0, b = 0, c = 0, d = 0] = places;
    const digest = (place: number) => digestsAt + place * digestBytes;
    this.#hashFour(0, slotBytes, 2 * slotBytes, 3 * slotBytes, blocks, digest(a), digest(b), digest(c), digest(d));
  }

  /** Writes what stands around a message of `length` bytes; returns how many blocks all of it has. */
  #pad(slot: number, first: number, length: number): number {
    const begin = slot * slotBytes;
    const blocks = blocksOf(1 + length);
    const end = begin + blocks * blockBytes;
    this.#memory[begin] = first;
    this.#memory[begin + 1 + length] = endByte;
    this.#memory.fill(0, begin + 2 + length, end - 4);
    const bits = 8 * (1 + length);
    this.#memory[end - 4] = 0;
    this.#memory[end - 3] = bits >>> 16;
    this.#memory[end - 2] = bits >>> 8;
    this.#memory[end - 1] = bits;
    return blocks;
  }

  #digests(count: number): Uint8Array {
    return this.#memory.slice(digestsAt, digestsAt + count * digestBytes);
  }
}

function blocksOf(length: number): number {
  return Math.ceil((length + 1 + lengthBytes) / blockBytes);
}
