/** Accounts rotated at once in one zone, unless asked otherwise: a plant's people follow so many by eye. */
export const usualParallel = 4;
/** An edge drives so many devices side by side. */
export const mostParallel = 64;
/** Canaries, unless asked otherwise. */
export const usualCanaries = 1;
export const mostCanaries = 100;
/** Seconds after its end in which an order's outcome may still be on its way. */
export const lateOutcomeS = 120;
/** Rotations of one account in answer to one leak: both values of the pool may be exposed as well as the one in use. */
export const mostRounds = 4;
/** How often a vault looks whether orders of a fleet have run out, ms. */
export const lookEveryMs = 15_000;
/** Fleet rotations that are listed. */
export const listedRuns = 100;
