/** Values that an edge may hold unsent; with it the vault's list stays at the acknowledged one and two more. */
export const maxPool = 2;

/** Members of a group: a line's worth of devices that share a reader; all of them wait for each other. */
export const maxGroupMembers = 32;

/**
 * Older candidates tried by itself when neither the new nor the current one works. A device restored from a backup brings back a
 * recent one; every further try costs a window of the attempt budget, and a person can still try the rest.
 */
export const maxProbedHistory = 8;

/** Superseded candidates that are kept for the life of a device: weekly changes for more than 70 years. */
export const maxHistory = 4096;

/** Candidates that may be live at once; far above what the pool allows, so that reaching it means a bug or a forged store. */
export const maxCandidates = 16;

/** Pushes of one value counted exactly; at this number an operator is told, and the counter stays. */
export const maxCountedPushes = 8;

/** Attempts within one window on a device that never locks anybody out: enough for each probe, too few to be a nuisance. */
export const maxAttemptsWithoutLockout = 10;

/** Window of the attempt budget where nobody knows the device's lockout: one login in it. */
export const unknownLockoutWindowS = 1800;

/** Window of the budget on a device that never locks: ten logins in it are no attack and no tight loop. */
export const noLockoutWindowS = 60;
