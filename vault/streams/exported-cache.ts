import { toHex } from "../../protocol/base/index.ts";
import type { EntryMap, SenderState } from "../../protocol/bundle/index.ts";
import type { ColumnSeal } from "../master-key/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { cachedEntries, cachedNodes } from "./limits.ts";
import { exportedEntries } from "./stream-row.ts";

interface Kept {
  /** Place of the sender after the item that made this state. */
  readonly place: string;
  readonly entries: EntryMap;
}

/**
 * What each node was last sent. Not an authority: a kept state counts only while the store's sender stands at the very item that made
 * it, so another process's issue and a transaction that was taken back both lead to the store again.
 */
export class ExportedCache {
  readonly #kept = new Map<string, Kept>();
  #entries = 0;

  async read(seal: ColumnSeal, tx: VaultTransaction, nodeId: Uint8Array, sender: SenderState): Promise<EntryMap> {
    const kept = this.#kept.get(toHex(nodeId));
    if (kept !== undefined && kept.place === placeOf(sender)) return kept.entries;
    const entries = await exportedEntries(seal, tx, nodeId);
    this.keep(nodeId, sender, entries);
    return entries;
  }

  /** Keeps the state that `sender` stands behind. */
  keep(nodeId: Uint8Array, sender: SenderState, entries: EntryMap): void {
    const key = toHex(nodeId);
    this.#drop(key);
    this.#kept.set(key, { place: placeOf(sender), entries });
    this.#entries += entries.size;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= cachedNodes && this.#entries <= cachedEntries) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#entries -= this.#kept.get(key)?.entries.size ?? 0;
    this.#kept.delete(key);
  }
}

function placeOf(sender: SenderState): string {
  return `${sender.epoch}/${sender.nextSeq}/${toHex(sender.prev)}`;
}
