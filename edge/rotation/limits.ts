/** Back-off after a failure: doubles from the least to the most, with jitter, so that a dead segment is not hammered. */
export const leastBackOffMs = 5_000;
export const mostBackOffMs = 900_000;

/** Running time between a change of the break-glass account and one of another account, on a device without windows. */
export const breakGlassGapMs = 24 * 3_600_000;

/** A permit runs no longer: whoever gave it has left the panel. */
export const longestPermitMs = 24 * 3_600_000;

/** How often a start is looked at again that waits for a person or for a window, both of which wake it. */
export const longRetryMs = 300_000;

/** How often a rotation or order that was refused for now is looked at again. */
export const refusedRetryMs = 30_000;

/** Longest sleep of an account's timer: a day-long interval survives a clock that was wrong when it was set. */
export const longestSleepMs = 3_600_000;

/** One exchange with a device; a slow serial bus behind a converter answers in a few seconds. */
export const exchangeTimeoutMs = 10_000;

/** Steps that one account takes in a row without an exchange; more means that the machine goes in circles. */
export const maxStepsInARow = 64;

/** How long an interval waits after the device refused every value that it was given: each try costs two values and a write each. */
export const rejectedRetryMs = 6 * 3_600_000;

/** Shortest sleep before a start: a clock that stands still must not make a tight loop. */
export const leastPollMs = 1_000;

/** How long after an older password came back a rotation begins, seconds: whoever restored the device may still be at work on it. */
export const revertedRotateAfterS = 300;

/** When a value that was verified is proven once more, seconds: after the night in which a device restarts or is put back. */
export const recheckAfterS = 24 * 3_600;

/** When that proof is tried again where the device did not answer, seconds: it may be away for weeks. */
export const recheckRetryS = 3_600;

/** How long a group waits for all its members to be ready before whoever wanted it has to ask again: an order's usual time. */
export const groupOpenMs = 3_600_000;

/** How old a member's proof may be when the first of its group changes: a device may have gone since. */
export const groupProofMs = 600_000;

/** Accounts that a start takes up in one commit before it lets others be served: some milliseconds. */
export const accountsAPart = 100;

/** What a start reads of its accounts before it lets others be served, who need several turns each: about a millisecond. */
export const readAPart = 10;

/** Accounts of a large segment that are looked at in one go, once the first ones are under way: some milliseconds. */
export const accountsInATurn = 32;
