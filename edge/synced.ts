import { everSynced, hasSyncMark, putSyncMark } from "../agent/node/index.ts";
import type { Store, Transaction } from "../agent/store/index.ts";
import type { StreamHead } from "../protocol/tunnel/index.ts";

const edition = 3;

/** Notes the bundle whose values the rotation's own rows hold completely, with what `also` writes; nothing where that was noted already. */
export function putSynced(store: Store, head: StreamHead, also: (tx: Transaction) => void): void {
  if (isSynced(store, head)) return;
  store.transaction((tx) => {
    also(tx);
    putSyncMark(tx, { edition, head });
  });
}

/** True where nothing was applied since {@link putSynced}. */
export function isSynced(store: Store, head: StreamHead): boolean {
  return store.read((view) => hasSyncMark(view, { edition, head }));
}

/** True where something was taken in before, by this process or an earlier one. */
export function hasSynced(store: Store): boolean {
  return store.read(everSynced);
}
