import type { FoldedLog } from "../../agent/audit/index.ts";
import type { Clock, Failpoint } from "../../agent/seams/index.ts";
import type { AuditEvent } from "../../protocol/audit/index.ts";
import type { Random } from "../../protocol/base/index.ts";
import type { AuditHead, ConsistencyProof, HeadCosignature } from "../../protocol/bundle/index.ts";
import { newestRoot } from "../../protocol/trust/index.ts";
import type { TrustReader, VaultKeys } from "../identity/index.ts";
import type { ColumnSeal } from "../master-key/index.ts";
import type { RegistryContext } from "../registry/index.ts";
import type { VaultStore, VaultTransaction } from "../store/index.ts";
import type { ExportPace } from "./export-pace.ts";
import type { ExportedCache } from "./exported-cache.ts";

/** The vault's audit log as the parts of the vault use it: every call inside the transaction of the change. */
export interface VaultLog {
  append(tx: VaultTransaction, event: AuditEvent): Promise<void>;
  /** Takes what others can make happen as often as they like. */
  readonly folded: Pick<FoldedLog, "note">;
  /** The log's head with this transaction's leaves. */
  head(tx: VaultTransaction): Promise<AuditHead | null>;
  /** Proof that our head extends the one that this node last proved, or null where there is none to prove. */
  proofFor(tx: VaultTransaction, nodeId: Uint8Array): Promise<ConsistencyProof | null>;
  /** The node's head that we last held proven. */
  provenHead(tx: VaultTransaction, nodeId: Uint8Array): Promise<AuditHead | null>;
  /** What this vault's witness key says of that head; null where it never cosigned it. */
  cosignature(tx: VaultTransaction, nodeId: Uint8Array, head: AuditHead): Promise<HeadCosignature | null>;
  /** True where `head` is a head that this log has had: false shows that leaves which somebody holds proof of are gone. */
  hasHad(tx: VaultTransaction, head: AuditHead): Promise<boolean>;
  /** Entries that no node vouches for yet. */
  sinceAnchor(tx: VaultTransaction): Promise<number>;
  /** Says that the log goes on although it lost entries that others hold proof of, and ends the key epoch: only where a new root says so too. */
  reopen(tx: VaultTransaction, reason: string): Promise<void>;
  /** Takes what a report's header and body say about the node's log, and about ours. True where its log forked or shrank. */
  heard(
    tx: VaultTransaction,
    nodeId: Uint8Array,
    told: { head: AuditHead | null; proof: ConsistencyProof | null; ours: AuditHead | null },
  ): Promise<boolean>;
}

/** What every part of a running vault works with. Nothing in it decides: that is in the store. */
export interface VaultCore {
  readonly store: VaultStore;
  readonly seal: ColumnSeal;
  readonly random: Random;
  readonly clock: Clock;
  /** Names `vault.before-ingest`, `vault.after-ingest`, `vault.before-issue` and `vault.after-issue`. */
  readonly failpoint: Failpoint;
  readonly keys: VaultKeys;
  /** 32 bytes. */
  readonly vaultId: Uint8Array;
  readonly trust: TrustReader;
  readonly exported: ExportedCache;
  readonly pace: ExportPace;
  readonly log: VaultLog;
}

/** The vault's mailbox: the first 20 bytes of its id. */
export function vaultMailbox(core: Pick<VaultCore, "vaultId">): Uint8Array {
  return core.vaultId.subarray(0, 20);
}

/** The registry's context within this transaction. */
export async function registryOf(core: VaultCore, tx: VaultTransaction): Promise<RegistryContext> {
  const root = newestRoot(await core.trust.read(tx));
  return {
    seal: core.seal,
    random: core.random,
    nowMs: () => core.clock.wallMs(),
    vaultEpoch: root.document.vaultEpoch,
    audit: (within, event) => core.log.append(within, event),
  };
}
