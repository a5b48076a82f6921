/** Versions that one leaf of a recovery names; a leaf's detail takes 256 characters. */
export const versionsPerLeaf = 8;
