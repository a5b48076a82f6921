/** Alarms of one answer, newest first. */
export const alarmsPerAnswer = 100;

/** Accounts that one call registers with their device; no make has shown more than a dozen. */
export const accountsPerDevice = 32;

/** An operator's name, in a leaf. */
export const operatorBytes = 64;

/** Why a device is held, in a leaf. */
export const reasonBytes = 256;

/** How long an order may wait for its edge: a week covers a link that comes up at weekends. */
export const longestOrderS = 7 * 24 * 3600;

/** Constraints of a model, bytes of JSON: eight fields with a thousand forbidden words each fit in no manual. */
export const constraintsBytes = 64 * 1024;

/** Zones, models or patterns that one fleet rotation names: a longer list is a pattern not thought of. */
export const fleetFilters = 64;

/** The longest lease, seconds: what shall last longer than a month is a grant. */
export const longestLeaseS = 31 * 24 * 3600;

/** Longest lockout window, and longest time that an edge is said to be off, milliseconds: what a model may state at the most. */
export const longestLockoutMs = 366 * 24 * 3_600_000;

/** Versions that one recovery names; by default all are shown. */
export const maxRecoveredVersions = 4096;

/** Accounts of an escrow that one call tells: a call has at most 4 MiB, and an account a dozen values of a few hundred bytes. */
export const escrowedAccountsPerCall = 500;

/** Longest path of a file on Linux, bytes with the closing zero (limits.h). */
export const longestPath = 4096;
