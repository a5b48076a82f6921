import { existsSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import {
  attemptFolder,
  createDataFolder,
  dataFolderAt,
  isFreePlace,
  lockDataFolder,
  makeFolders,
  syncFolder,
  writeFileDurably,
} from "../agent/data-folder/index.ts";
import type { Log } from "../agent/log/index.ts";
import { openSealKey, type Unlock } from "../agent/seal-key/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import { Secret, sameBytes, toBase32, toHex } from "../protocol/base/index.ts";
import type { SigningKey } from "../protocol/keys/index.ts";
import { applyStatements, newestRoot, signRoot } from "../protocol/trust/index.ts";
import { BackupError, type BackupHeader, readBackup } from "./backup/index.ts";
import { putStatement } from "./identity/index.ts";
import { VaultInitError } from "./init/index.ts";
import { ColumnSeal } from "./master-key/index.ts";
import { type OpenVault, openVaultOver } from "./open-vault.ts";
import { markRestored, takeRoot, type Voided } from "./recovery/index.ts";
import { openVaultStore, type VaultTransaction } from "./store/index.ts";
import type { VaultCore } from "./streams/index.ts";

export interface RestoreOptions {
  /** The backup. */
  readonly file: string;
  /** Where the vault is to be; absent or empty. */
  readonly path: string;
  readonly unlock: Unlock;
  /** Roots that were signed since the backup, oldest first, as any node holds them in its audit folder. */
  readonly roots: readonly Uint8Array[];
  /** Root keys that raise the epoch at once; none leaves that to `vault raise-epoch` or `root rotate`. */
  readonly rootKeys: readonly SigningKey[];
  /** Application tokens stay good. */
  readonly keepTokens: boolean;
  readonly version: string;
  readonly seams: Seams;
  readonly log: Log;
}

export interface Restored {
  readonly folder: string;
  /** Hexadecimal. */
  readonly vaultId: string;
  readonly madeAtMs: number;
  readonly rootVersion: number;
  readonly vaultEpoch: number;
  /** False where the vault issues nothing before its epoch is raised. */
  readonly raised: boolean;
  readonly voided: Voided;
}

/**
 * Puts a vault in place out of a backup: all or nothing, built beside its place. Nothing is issued to a node before a root has raised the
 * epoch and the node has told what it holds. Throws DATA_LOCKED, VAULT_FOLDER_NOT_EMPTY, BACKUP_*, SEAL_KEY_*, MASTER_KEY_OPEN_FAILED, TRUST_*.
 */
export async function restoreVault(options: RestoreOptions): Promise<Restored> {
  const path = resolve(options.path);
  refuseUsed(path);
  makeFolders(dirname(path));
  const staging = join(dirname(path), `.${toBase32(options.seams.random(5))}`);
  try {
    const restored = await build(staging, options);
    // An empty folder that a package made beforehand gives way; anything put into it meanwhile stops us here.
    attemptFolder(`cannot put the vault into ${path}`, () => {
      if (existsSync(path)) rmdirSync(path);
      renameSync(staging, path);
      syncFolder(dirname(path));
    });
    return { ...restored, folder: path };
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw error;
  }
}

function refuseUsed(path: string): void {
  if (isFreePlace(path)) return;
  const folder = dataFolderAt(path);
  if (existsSync(join(path, "lock"))) lockDataFolder(folder).release();
  throw new VaultInitError("VAULT_FOLDER_NOT_EMPTY", `${path} is not empty`, "Name another folder with --data DIR.");
}

async function build(staging: string, options: RestoreOptions): Promise<Omit<Restored, "folder">> {
  const { seams, version, log } = options;
  const folder = createDataFolder(staging);
  const opened: { header?: BackupHeader; master?: Secret } = {};
  const content = await readBackup(options.file, async (header) => {
    writeFileDurably(folder.sealKey, header.sealKey);
    const master = await openSealKey({ path: folder.sealKey, unlock: options.unlock });
    Object.assign(opened, { header, master });
    return master.use((bytes) => {
      const copy = new ColumnSeal(new Secret(bytes), seams.random);
      const key = copy.backupKey(header.salt);
      copy.wipe();
      const secret = new Secret(key);
      key.fill(0);
      return secret;
    });
  });
  const { header, master } = opened;
  if (header === undefined || master === undefined) throw new BackupError("BACKUP_DAMAGED", "the backup has no header");
  writeFileDurably(folder.config, content.config);
  writeFileDurably(folder.store, content.image);
  const seal = new ColumnSeal(master, seams.random);
  const store = await openVaultStore({ path: folder.store, clock: seams.clock });
  const vault = await openVaultOver({ store, seal, seams, version, log, unlockedBy: options.unlock.kind, auditFolder: null });
  try {
    if (!sameBytes(vault.core.vaultId, header.vaultId))
      throw new BackupError("BACKUP_DAMAGED", "the backup's header names another vault than its store");
    return { vaultId: toHex(header.vaultId), madeAtMs: header.madeAtMs, ...(await settle(vault, options)) };
  } finally {
    await vault.close();
  }
}

async function settle(
  { core }: OpenVault,
  options: RestoreOptions,
): Promise<Pick<Restored, "rootVersion" | "vaultEpoch" | "raised" | "voided">> {
  const { keepTokens, rootKeys } = options;
  return core.store.transaction(async (tx) => {
    const voided = await markRestored(core, tx, { keepTokens });
    for (const root of options.roots) await learnRoot(core, tx, root);
    const { id, document } = newestRoot(await core.trust.read(tx));
    const { version, vaultEpoch, vaultId } = document;
    if (rootKeys.length === 0) return { rootVersion: version, vaultEpoch, raised: false, voided };
    const next = { ...document, vaultId: vaultId ?? id, version: version + 1, vaultEpoch: vaultEpoch + 1 };
    const taken = await takeRoot(core, tx, { root: signRoot(next, rootKeys), keepTokens: true });
    return { rootVersion: taken.version, vaultEpoch: taken.vaultEpoch, raised: true, voided };
  });
}

/** The chain goes on where it stands: two roots of one number would be a fork to every node. */
async function learnRoot(core: VaultCore, tx: VaultTransaction, root: Uint8Array): Promise<void> {
  const trust = await core.trust.read(tx);
  const after = applyStatements(trust, [root]).state;
  if (newestRoot(after).document.version > newestRoot(trust).document.version) await putStatement(tx, root, core.random);
}
