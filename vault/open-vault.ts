import { join } from "node:path";
import { AuditMirror, type FullPolicy } from "../agent/audit/index.ts";
import type { DataFolder } from "../agent/data-folder/index.ts";
import type { Log } from "../agent/log/index.ts";
import { openSealKey, type Unlock } from "../agent/seal-key/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import { assert } from "../protocol/base/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import { newestRoot } from "../protocol/trust/index.ts";
import { dataFolderHolder, VaultAuditLog, vaultAuditStorage, vaultMirrorSource } from "./audit/index.ts";
import { loadVaultSeeds, TrustReader, vaultKeysOf } from "./identity/index.ts";
import { ColumnSeal } from "./master-key/index.ts";
import { openVaultStore, type VaultStore } from "./store/index.ts";
import { ExportedCache, ExportPace, type VaultCore } from "./streams/index.ts";

/** An opened vault that listens to nobody yet. */
export interface OpenVault {
  readonly core: VaultCore;
  readonly audit: VaultAuditLog;
  /** Idempotent. */
  close(): Promise<void>;
}

const firstLog = 0;

/**
 * Unlocks and opens the vault in `folder`. Throws SEAL_KEY_*, VAULT_STORE_*, and MASTER_KEY_OPEN_FAILED where store and key do not
 * belong together.
 */
export async function openVault(options: {
  folder: DataFolder;
  unlock: Unlock;
  seams: Seams;
  version: string;
  log: Log;
  /** What becomes of events while the disk is short; the log's own default where it is absent. */
  whenFull?: FullPolicy;
  /** Told before each writing transaction. */
  beforeWrite?: () => void;
}): Promise<OpenVault> {
  const { folder, seams, version, log, whenFull, beforeWrite } = options;
  const seal = new ColumnSeal(await openSealKey({ path: folder.sealKey, unlock: options.unlock }), seams.random);
  const store = await openVaultStore({
    path: folder.store,
    clock: seams.clock,
    failpoint: seams.failpoint,
    ...(beforeWrite === undefined ? {} : { beforeWrite }),
  });
  const unlockedBy = options.unlock.kind;
  const common = { store, seal, seams, version, log, unlockedBy, auditFolder: join(folder.path, "audit") };
  return openVaultOver(whenFull === undefined ? common : { ...common, whenFull });
}

/** Opens the vault that lies in an open store; closing it closes the store and wipes the key. Throws VAULT_STORE_*, MASTER_KEY_OPEN_FAILED. */
export async function openVaultOver(options: {
  store: VaultStore;
  seal: ColumnSeal;
  seams: Seams;
  version: string;
  log: Log;
  /** What kind of key or word opened the vault, for its leaf. */
  unlockedBy: Unlock["kind"];
  /** Folder of the audit log's plain files; null where nobody wants them. */
  auditFolder: string | null;
  whenFull?: FullPolicy;
}): Promise<OpenVault> {
  const { store, seal, seams, log, auditFolder } = options;
  const { clock, random } = seams;
  const trust = new TrustReader();
  const stored = await store.read(async (tx) => {
    const id = await tx.selectFrom("settings").select("value").where("name", "=", "vault-id").executeTakeFirst();
    assert(id !== undefined, "a vault's store names its vault");
    const seeds = await loadVaultSeeds(seal, tx);
    return { vaultId: id.value, keys: vaultKeysOf(seeds), root: newestRoot(await trust.read(tx)) };
  });
  const { identity } = stored.keys;
  const storage = vaultAuditStorage(firstLog, seal);
  const onFailed = (code: string) => log.error("audit.failed", { code });
  const audit = new VaultAuditLog({
    name: { trustDomain: stored.root.document.trustDomain, node: nodeIdText(identity.nodeId), serial: firstLog },
    logKey: identity.log,
    witness: stored.keys.witness,
    clock,
    random,
    interval: () => [clock.wallMs(), clock.wallMs()],
    store,
    storage,
    timers: seams.timers,
    failpoint: seams.failpoint,
    mirror:
      auditFolder === null
        ? null
        : new AuditMirror({
            folder: join(auditFolder, String(firstLog)),
            source: vaultMirrorSource({ store, storage, trust, nodeId: identity.nodeId }),
            onFailed: (error) => log.warn("audit.mirror-behind", { error }),
          }),
    // One process at a time has the folder: whoever comes next goes on at once where this one stopped.
    holder: dataFolderHolder,
    onFailed,
    ...(options.whenFull === undefined ? {} : { whenFull: options.whenFull }),
  });
  const { clockSetBack } = await audit.begin(options);
  if (clockSetBack) log.warn("clock.setback", { reason: "the clock is behind the newest entry of the log" });
  let closing: Promise<void> | null = null;
  return {
    core: {
      store,
      seal,
      random,
      clock,
      failpoint: seams.failpoint,
      keys: stored.keys,
      vaultId: stored.vaultId,
      trust,
      exported: new ExportedCache(),
      pace: new ExportPace(random),
      log: audit,
    },
    audit,
    close() {
      closing ??= audit.close().then(async () => {
        await store.close();
        seal.wipe();
      });
      return closing;
    },
  };
}
