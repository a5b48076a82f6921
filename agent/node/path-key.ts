import { createHmac, createSecretKey } from "node:crypto";
import { type Random, utf8 } from "../../protocol/base/index.ts";
import type { Transaction, View } from "../store/index.ts";

const table = "path-key";
const keyRow = utf8("key");

/** Which row stands for a path: 16 bytes. */
export type PathRowOf = (path: string) => Uint8Array;

/** Keyed, so that who has the file cannot try what paths there are; null before {@link makePathRows}. */
export function pathRows(view: View): PathRowOf | null {
  const bytes = view.get(table, keyRow);
  if (bytes === null) return null;
  // Once: the runtime takes five times as long where it gets the bytes for each.
  const key = createSecretKey(bytes);
  return (path) => createHmac("sha256", key).update(path).digest().subarray(0, 16);
}

/** {@link pathRows} for who writes such rows; draws the key where there is none. */
export function makePathRows(tx: Transaction, random: Random): PathRowOf {
  const known = pathRows(tx);
  if (known !== null) return known;
  tx.put(table, keyRow, random(32));
  return makePathRows(tx, random);
}
