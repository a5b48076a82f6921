import { assert, type Random } from "../../protocol/base/index.ts";

/**
 * A secret kept as two halves: a random pad of its length, and the secret combined with it. Neither half alone says anything, so no
 * plaintext waits in memory for a dump or a swapped page to catch, and putting it together costs less than copying it. The pad is
 * never used for anything else.
 */
export class SplitSecret {
  readonly #pad: Uint8Array;
  readonly #masked: Uint8Array;

  /** The caller wipes `plain`. */
  constructor(plain: Uint8Array, random: Random) {
    this.#pad = random(plain.length);
    this.#masked = new Uint8Array(plain.length);
    for (let i = 0; i < plain.length; i += 1) this.#masked[i] = (plain[i] ?? 0) ^ (this.#pad[i] ?? 0);
  }

  /** Bytes of the secret. */
  get length(): number {
    return this.#masked.length;
  }

  /** Puts the bytes from `from` up to `to` together in `out`, from its byte `at` on; returns the byte behind them. */
  copy(out: Uint8Array, at: number, from = 0, to = this.#masked.length): number {
    assert(from >= 0 && to <= this.#masked.length && at + to - from <= out.length, "a part of the secret, and room for it");
    const [pad, masked] = [this.#pad, this.#masked];
    for (let i = from; i < to; i += 1) out[at + i - from] = (pad[i] ?? 0) ^ (masked[i] ?? 0);
    return at + to - from;
  }

  /** Forgets both halves. */
  wipe(): void {
    this.#pad.fill(0);
    this.#masked.fill(0);
  }
}
