import { hash } from "node:crypto";
import { assert } from "../base/index.ts";
import { frameOverheadBytes, maxFramePayloadBytes } from "./limits.ts";

const blockBytes = 64;
const macBytes = 32;
const keyBytes = 32;

/** Where a frame is hashed behind the inner block: one for all sessions, as hashing is synchronous. */
const scratch = Buffer.allocUnsafeSlow(blockBytes + maxFramePayloadBytes + frameOverheadBytes);

/**
 * HMAC-SHA-256 under one key (RFC 2104), made of two one-shot hashes whose results are text of one byte a character: node's `Hmac` objects and result
 * buffers cost more than the hashing of a small frame, and frames are what a tunnel's throughput is made of. A test compares the two.
 */
export class FrameMac {
  readonly #inner = Buffer.allocUnsafeSlow(blockBytes);
  /** Outer block, then the inner digest. */
  readonly #outer = Buffer.allocUnsafeSlow(blockBytes + macBytes);

  /** Copies the key, 32 bytes, which the caller may wipe. */
  constructor(key: Uint8Array) {
    assert(key.length === keyBytes, "a frame key has 32 bytes");
    for (let at = 0; at < blockBytes; at += 1) {
      const byte = key[at] ?? 0;
      this.#inner[at] = byte ^ 0x36;
      this.#outer[at] = byte ^ 0x5c;
    }
  }

  /** Writes the 32 bytes over `frame[0..length - 1]` to `target` at `at`. */
  write(frame: Buffer, length: number, target: Buffer, at: number): void {
    scratch.set(this.#inner);
    frame.copy(scratch, blockBytes, 0, length);
    this.#outer.write(hash("sha256", scratch.subarray(0, blockBytes + length), "binary"), blockBytes, macBytes, "binary");
    target.write(hash("sha256", this.#outer, "binary"), at, macBytes, "binary");
    scratch.fill(0, 0, blockBytes);
  }

  /** Overwrites the key. Idempotent; what is written after it is worthless. */
  wipe(): void {
    this.#inner.fill(0);
    this.#outer.fill(0);
  }
}
