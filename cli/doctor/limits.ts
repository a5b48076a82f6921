/** Free space below which a node may stop writing in the middle of its work, bytes: a rotation reserves less, a snapshot may take it. */
export const leastFreeBytes = 64 * 1024 * 1024;
/** Part of a file system that should stay free: from 80 % in use on a node raises an alarm. */
export const leastFreePart = 0.2;
/** How long an address may take to answer, ms. */
export const reachMs = 5_000;
/** No signed time is before this: when this version was made. */
export const earliestMs = Date.UTC(2026, 0, 1);
/** Where a clock surely is wrong. */
export const latestMs = Date.UTC(2100, 0, 1);
/** How far a file may lie in the future, ms: file systems round, and clocks are set by a little. */
export const futureMs = 60_000;
/** Oldest Node that has what Tidegate uses: Argon2 and ML-KEM. */
export const leastNode = [24, 8] as const;
