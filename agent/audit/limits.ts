/** Longest until the leaf of a read is on the disk, ms: the window that a crash may lose. */
export const readWindowMs = 100;

/** When the leaves of a window's reads are begun, ms after the first: the rest of the window is for spelling and the sync, which nobody waits for. */
export const readDraftMs = 70;

/** Turns of the event loop in which they are spelled, at most; a timer's turn takes a millisecond. */
export const draftTurns = 10;

/** Leaves of a turn, at least: fewer cost less than the turn does. */
export const leastDraftedTogether = 2;

/** Shortest time between two checkpoints while the node runs, ms. */
export const checkpointEveryMs = 60_000;

/** How long an epoch key signs while the node runs, ms: what a thief of the current key can seal anew is at most this much running time. */
export const epochEveryMs = 24 * 3_600_000;

/** Different reads noted within one window; beyond them reads are only counted, and a gap leaf says how many. */
export const maxNotedReads = 10_000;

/** Leaves of one answer of the admin route. */
export const maxLeavesPerCall = 1000;

/** Trees kept in memory while a transaction may still roll back: the one before it and one for each of its appends. */
export const maxRecentTrees = 16;

/** Different refused reads noted one by one within one window: a caller needs no token to be refused, and must not fill the disk. */
export const maxNotedRefusals = 4;

/** When the leaves of the first events of a kind are written, ms: those of many nodes that come back together share a commit. */
export const foldFirstMs = 80;

/** How long equal events from outside share a leaf, ms: who connects again and again writes a leaf or two a minute. */
export const foldEveryMs = 60_000;

/** Different refusals of connections, logins, joins and items that have leaves of their own within a minute; about 10 MB a day at worst. */
export const maxFoldedRefusals = 8;

/** Different events of members and applications that have leaves of their own within a minute: ten thousand edges come back together. */
export const maxFoldedKinds = 20_000;
