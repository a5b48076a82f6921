import type { Store, Transaction } from "../agent/store/index.ts";
import { encodeTcbor, sameBytes, utf8 } from "../protocol/base/index.ts";
import type { StreamHead } from "../protocol/tunnel/index.ts";

const table = "synced";
const headRow = utf8("head");
/** What else stands where the head does: with an older edition's rows all is taken in again. */
const edition = 3;

/** Notes the bundle whose values the rotation's own rows hold completely, with what `also` writes; nothing where that was noted already. */
export function putSynced(store: Store, head: StreamHead, also: (tx: Transaction) => void): void {
  if (isSynced(store, head)) return;
  store.transaction((tx) => {
    also(tx);
    tx.put(table, headRow, encodeHead(head));
  });
}

/** True where nothing was applied since {@link putSynced}. */
export function isSynced(store: Store, head: StreamHead): boolean {
  const row = store.read((view) => view.get(table, headRow));
  return row !== null && sameBytes(row, encodeHead(head));
}

/** True where something was taken in before, by this process or an earlier one. */
export function hasSynced(store: Store): boolean {
  return store.read((view) => view.get(table, headRow)) !== null;
}

function encodeHead({ epoch, seq, id }: StreamHead): Uint8Array {
  return encodeTcbor([edition, epoch, seq, id]);
}
