import type { Random } from "../../protocol/base/index.ts";
import { leastBackOffMs, mostBackOffMs } from "./limits.ts";

/**
 * Full jitter: each wait is drawn evenly between the least and a ceiling that doubles with each failure, so that ten thousand nodes
 * that lost the same gateway do not come back together.
 */
export class BackOff {
  readonly #random: Random;
  #failures = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Milliseconds to wait after one more failure. */
  next(): number {
    const ceiling = Math.min(mostBackOffMs, leastBackOffMs * 2 ** Math.min(this.#failures + 1, 16));
    this.#failures += 1;
    return Math.round(leastBackOffMs + (ceiling - leastBackOffMs) * this.share());
  }

  reset(): void {
    this.#failures = 0;
  }

  /** A random number in [0, 1). */
  share(): number {
    const [a = 0, b = 0, c = 0] = this.#random(3);
    return ((a << 16) | (b << 8) | c) / 0x1_00_00_00;
  }
}
