import type { Transaction, View } from "../../agent/store/index.ts";
import { asBytes, asTuple, asUint, decodeTcbor, encodeTcbor, orNull, type Tcbor } from "../../protocol/base/index.ts";
import { indexFromTcbor, indexToTcbor, type VersionIndex } from "../../protocol/bundle/index.ts";
import type { LeafPlace } from "../../protocol/content/index.ts";
import type { Told } from "./live-value.ts";

const table = "told";

/** {@link Told} with who said it, and where it stands in that edge's log. */
export interface ToldRow extends Told {
  readonly nodeId: Uint8Array;
  readonly leaf: LeafPlace;
}

/** What was said last of an account, or null. */
export function readTold(view: View, accountId: Uint8Array): ToldRow | null {
  const row = view.get(table, accountId);
  return row === null ? null : decodeTold(row);
}

export function writeTold(tx: Transaction, accountId: Uint8Array, { nodeId, leaf, live, sent }: ToldRow): void {
  const place = (index: VersionIndex | null): Tcbor => (index === null ? null : indexToTcbor(index));
  tx.put(table, accountId, encodeTcbor([nodeId, [leaf.serial, leaf.index], place(live), place(sent)]));
}

export function dropTold(tx: Transaction, accountId: Uint8Array): void {
  tx.delete(table, accountId);
}

function decodeTold(row: Uint8Array): ToldRow {
  const [nodeId, leaf, live, sent] = asTuple(decodeTcbor(row), "told", 4);
  const [serial, index] = asTuple(leaf, "told.leaf", 2);
  return {
    nodeId: asBytes(nodeId, "told.nodeId", 20),
    leaf: { serial: asUint(serial, "told.leaf.serial"), index: asUint(index, "told.leaf.index") },
    live: orNull(live, (value) => indexFromTcbor(value, "told.live")),
    sent: orNull(sent, (value) => indexFromTcbor(value, "told.sent")),
  };
}
