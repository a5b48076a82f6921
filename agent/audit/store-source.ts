import type { Store, Transaction, View } from "../store/index.ts";
import { decodeArchiveState } from "./archive-state.ts";
import type { MirrorSource } from "./mirror.ts";
import { readRoot } from "./proofs.ts";
import type { AuditStorage } from "./storage.ts";

/** A mirror's source over a node's own store. */
export function storeSource(
  store: Store,
  storage: AuditStorage<View, Transaction>,
  statements: MirrorSource["statements"],
): MirrorSource {
  return {
    checkpoint: () => store.read((view) => storage.read(view).mark("checkpoint")),
    leaves: (from, limit) => store.read((view) => storage.read(view).leaves(from, limit)),
    final: (epoch) => store.read((view) => storage.read(view).mark(`final/${epoch}`)),
    tile: (level, index) => store.read((view) => storage.read(view).tile(level, index)),
    root: (size) => store.read((view) => readRoot(storage.read(view), size)),
    archive: () => store.read((view) => decodeArchiveState(storage.read(view).mark("archive"))),
    succession: (epoch) => store.read((view) => storage.read(view).mark(`succession/${epoch}`)),
    statements,
  };
}
