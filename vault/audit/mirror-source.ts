import { type AsyncAuditStorage, decodeArchiveState, type MirrorSource, readRootLater } from "../../agent/audit/index.ts";
import { memberStatement, type TrustReader } from "../identity/index.ts";
import type { VaultStore, VaultTransaction } from "../store/index.ts";

/** What the plain files of the vault's log are made of. */
export function vaultMirrorSource(options: {
  store: VaultStore;
  storage: AsyncAuditStorage<VaultTransaction, VaultTransaction>;
  trust: TrustReader;
  nodeId: Uint8Array;
}): MirrorSource {
  const { store, storage, trust, nodeId } = options;
  return {
    checkpoint: () => store.read((tx) => storage.read(tx).mark("checkpoint")),
    leaves: (from, limit) => store.read((tx) => storage.read(tx).leaves(from, limit)),
    final: (epoch) => store.read((tx) => storage.read(tx).mark(`final/${epoch}`)),
    tile: (level, index) => store.read((tx) => storage.read(tx).tile(level, index)),
    root: (size) => store.read((tx) => readRootLater(storage.read(tx), size)),
    archive: () => store.read(async (tx) => decodeArchiveState(await storage.read(tx).mark("archive"))),
    succession: (epoch) => store.read((tx) => storage.read(tx).mark(`succession/${epoch}`)),
    statements: () =>
      store.read(async (tx) => {
        const member = await memberStatement(tx, nodeId);
        const { roots } = await trust.read(tx);
        return member === null ? null : { member, roots: roots.map((root) => root.envelope) };
      }),
  };
}
