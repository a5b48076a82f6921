/** Highest signed time, seconds: far from any real date, and 1,000 times it is still an exact number. */
export const maxSignedS = 2 ** 40;

/** A crystal's worst: hi runs away from the truth by one part in this, 9 s a day. */
export const driftParts = 10_000;

/** Signed times are whole seconds, cut off. */
export const signedResolutionMs = 1_000;

/** A signed time this far below lo is drift; further below, the clock was wrong and a snapshot sets it back. */
export const driftSlackMs = 60_000;
