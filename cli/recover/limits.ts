/** How lately an edge must have been heard to count as alive, milliseconds: it sends a word of its own accord every six hours. */
export const aliveWithinMs = 7 * 3_600_000;

/** One exchange with the device; the same as an edge allows. */
export const exchangeTimeoutMs = 10_000;

/** How often a wait says how long it still takes. */
export const waitStepMs = 1_000;

/** Accounts that one call to the vault tells: a call has at most 4 MiB. */
export const accountsPerCall = 200;
