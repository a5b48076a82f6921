import { maxPool } from "../../protocol/rotation/index.ts";

/** Values issued ahead to each account: an edge rotates that many times while it is alone. */
export const poolSize = maxPool;

/** Draws for a value that the account never had. At 1,000 possible values and 900 used ones, 200 fail once in 10^9. */
export const redraws = 200;
