/** Draws before giving up. At the least likely constraints we accept, one draw in 1,000 passes: 30,000 fail once in 10^13. */
export const maxDraws = 30_000;

/** Random bytes drawn at once: two values of 128 bits use that many at most. */
export const blockBytes = 64;

/** Longest secret a device may ask for; the longest known is an SNMPv3 passphrase of 255. */
export const maxValueLength = 1024;

/** Fields of one credential. SNMPv3 has two; no make has shown more than four. */
export const maxFields = 8;

/** Forbidden words of one field; each is searched in each draw. */
export const maxForbiddenWords = 1000;

/** Required classes of one field; the exact odds are computed over all subsets of them. */
export const maxRequiredClasses = 8;

/** Values that a field must leave to choose from: below it a rotation would come round to a known value. */
export const minDistinctValues = 1_000;

/** The least share of draws that must hold every required class. */
export const minPassingShare = 1 / 1_000;

/** Strength aimed at where the device allows it, bits. */
export const targetBits = 128;
