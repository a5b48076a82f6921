import type { Transaction, View } from "../agent/store/index.ts";
import { asTuple, asUint, decodeTcbor, encodeTcbor } from "../protocol/base/index.ts";
import type { VersionIndex } from "../protocol/bundle/index.ts";

const table = "served";

/** When a version became the one that is served, in the node's seconds. */
export interface Served {
  readonly index: VersionIndex;
  readonly sinceS: number;
}

/** What is served of an account, or null. */
export function readServed(view: View, accountId: Uint8Array): Served | null {
  const row = view.get(table, accountId);
  if (row === null) return null;
  const [epoch, number, sinceS] = asTuple(decodeTcbor(row), "served", 3);
  return { index: { epoch: asUint(epoch, "epoch"), number: asUint(number, "number") }, sinceS: asUint(sinceS, "sinceS") };
}

/** Notes since when a version is served. */
export function noteServed(tx: Transaction, accountId: Uint8Array, { index, sinceS }: Served): void {
  tx.put(table, accountId, encodeTcbor([index.epoch, index.number, sinceS]));
}
