/** UTF-16 units of a node's text in a leaf of the vault; a leaf's detail takes 256, and the alarm keeps the whole. */
export const maxLeafTextUnits = 200;

/** Alarms that one node may keep by its own word: more than any person reads; where a whole segment fails the first of them say so. */
export const alarmsPerNode = 1_000;

/** A current value that no login has proven for so long is an alarm, ms: as long as a vault may be silent before that is one. */
export const unprovenAfterMs = 24 * 3_600_000;

/** How often values without proof are looked for, ms, and how many alarms one look may raise. */
export const unprovenEveryMs = 3_600_000;
export const unprovenAtOnce = 500;

/** How long after a person's read, and the grace for using it, the rotation may begin, seconds. */
export const orderAfterReadS = 31 * 24 * 3600;
