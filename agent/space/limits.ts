const mebibyte = 1024 * 1024;

/** What is written at a time while the reserve is filled. */
export const chunkBytes = mebibyte;

/** What a node keeps for itself unless it is configured otherwise: the journal of the store grows to 4 MiB, a rotation writes some 20 KB. */
export const defaultReserveMib = 16;

/** Free space below which the disk counts as full for all that can wait; the reserve comes on top. */
export const leastFreeBytes = 16 * mebibyte;

/** Free space at which the reserve is given up before the store runs into the end of the disk. */
export const releaseBelowBytes = 4 * mebibyte;

/** How much more than that must be free before it counts as enough again: a disk at the edge must not go to and fro. */
export const backFactor = 1.25;

/** Part of the disk that is in use when a person is warned. */
export const warnPart = 0.8;

/** How often the disk is looked at, ms: what it costs is a system call. */
export const lookEveryMs = 10_000;
