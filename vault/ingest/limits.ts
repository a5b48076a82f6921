/** UTF-16 units of a node's text in a leaf of the vault; a leaf's detail takes 256, and the alarm keeps the whole. */
export const maxLeafTextUnits = 200;
