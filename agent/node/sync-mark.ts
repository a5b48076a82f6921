import { encodeTcbor, sameBytes, utf8 } from "../../protocol/base/index.ts";
import type { StreamHead } from "../../protocol/bundle/index.ts";
import type { Transaction, View } from "../store/index.ts";

const table = "synced";
const headRow = utf8("head");

/** What a kind of node has derived from its state in rows of its own, and as of which bundle. */
export interface SyncMark {
  /** Raised when those rows change their meaning: with an older edition's rows all is taken in again. */
  readonly edition: number;
  readonly head: StreamHead;
}

/** Notes in the caller's transaction that the derived rows are whole as of this bundle. */
export function putSyncMark(tx: Transaction, mark: SyncMark): void {
  tx.put(table, headRow, encodeMark(mark));
}

/** True where the derived rows are whole as of this bundle, and were written by this edition. */
export function hasSyncMark(view: View, mark: SyncMark): boolean {
  const row = view.get(table, headRow);
  return row !== null && sameBytes(row, encodeMark(mark));
}

/** True where something was taken in before, by this process or an earlier one. */
export function everSynced(view: View): boolean {
  return view.get(table, headRow) !== null;
}

function encodeMark({ edition, head: { epoch, seq, id } }: SyncMark): Uint8Array {
  return encodeTcbor([edition, epoch, seq, id]);
}
