import type { Random } from "../../protocol/base/index.ts";

/** Everything a node takes from the machine it runs on. Made in a node's `main.ts` only, and by the tests' rigs. */
export interface Seams {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly failpoint: Failpoint;
}

export interface Clock {
  /** The machine's idea of the time, milliseconds since 1970; may be wrong, jump and run backwards. */
  wallMs(): number;
  /** Milliseconds since boot, running through suspend; never goes back within one boot. */
  sinceBootMs(): number;
  /** Names this boot of the machine; another value means `sinceBootMs` started again. */
  bootId(): string;
}

export interface Timers {
  /** Calls `fire` once after `delayMs`; the returned function cancels, any number of times. */
  after(delayMs: number, fire: () => void): () => void;
}

/**
 * A named place where a test may stop, fail or kill the process. Does nothing in production. Names are
 * `area.before-what` or `area.after-what`.
 */
export type Failpoint = (name: string) => void;
