import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { callAdmin, isNobodyThere } from "../../agent/admin/index.ts";
import type { Restored } from "../../vault/index.ts";
import {
  CliError,
  counted,
  dataPath,
  type Frame,
  givenUnlock,
  openingUnlock,
  type UnlockOptions,
  withUnlock,
} from "../frame/index.ts";

interface RestoreOptions extends UnlockOptions {
  readonly rootKey: readonly string[];
  readonly roots?: string;
  readonly keepTokens?: boolean;
}

interface BackupAnswer {
  readonly path: string;
  readonly bytes: number;
  readonly madeAtMs: number;
}

/** `tidegate vault backup | restore`. */
export function addBackup(program: Command, vault: Command, frame: Frame): void {
  withUnlock(vault.command("backup <file>"))
    .description("write a sealed backup, while the vault runs or not, and read it back")
    .action((file: string, options: UnlockOptions) => backup(program, frame, file, options));
  withUnlock(vault.command("restore <file>"))
    .description("put a vault in place out of a backup; its nodes tell what they hold before anything is issued")
    .option("--root-key <file>", "raise the epoch at once with this sealed root key; may be given more than once", collect, [])
    .option("--roots <file>", "roots signed since the backup: audit/0/roots.cbor of any node")
    .option("--keep-tokens", "application tokens stay good: none was taken back since the backup")
    .action((file: string, options: RestoreOptions) => restore(program, frame, file, options));
}

async function backup(program: Command, frame: Frame, file: string, options: UnlockOptions): Promise<void> {
  const { openDataFolder, readRunFile } = await import("../../agent/data-folder/index.ts");
  const folder = openDataFolder(dataPath(frame, "vault", options));
  const path = resolve(file);
  const stopped = () => stoppedBackup(program, frame, path, options);
  const running = () => callAdmin(folder.path, { method: "POST", path: "/v1/backup", body: { path } }) as Promise<BackupAnswer>;
  // A vault that was killed leaves its run file behind.
  const unlessKilled = (error: unknown) => (isNobodyThere(error) ? stopped() : Promise.reject(error));
  const made = await (readRunFile(folder) === null ? stopped() : running().catch(unlessKilled));
  frame.output.result(made, ({ bytes }) => [
    `${made.path}: ${bytes} bytes, read back and compared`,
    "It opens with this vault's passphrase or key file only: keep a copy of a key file apart from this machine.",
  ]);
}

/** Nobody runs: the folder is opened here for as long as it takes. */
async function stoppedBackup(program: Command, frame: Frame, path: string, options: UnlockOptions): Promise<BackupAnswer> {
  const { lockDataFolder, openDataFolder } = await import("../../agent/data-folder/index.ts");
  const { createLog } = await import("../../agent/log/index.ts");
  const { machineSeams } = await import("../../agent/seams/index.ts");
  const { openVault, writeBackup } = await import("../../vault/index.ts");
  const folder = openDataFolder(dataPath(frame, "vault", options));
  const unlock = await openingUnlock(frame, folder, options);
  const lock = lockDataFolder(folder);
  try {
    const log = createLog({ level: "warn", node: "vault" });
    const vault = await openVault({ folder, unlock, seams: machineSeams(), version: program.version() ?? "unknown", log });
    try {
      return await writeBackup(vault.core, folder, path);
    } finally {
      await vault.close();
    }
  } finally {
    lock.release();
  }
}

async function restore(program: Command, frame: Frame, file: string, options: RestoreOptions): Promise<void> {
  const { createLog } = await import("../../agent/log/index.ts");
  const { machineSeams } = await import("../../agent/seams/index.ts");
  const { restoreVault } = await import("../../vault/index.ts");
  const { openRootKeys, readRootsFile } = await import("../root/index.ts");
  // Before anything is asked for.
  if (!existsSync(file)) throw new CliError("CLI_FILE", `${resolve(file)}: no such file`, { hint: "Name the backup's file." });
  const unlock = (await givenUnlock(frame, options, false)) ?? {
    kind: "passphrase" as const,
    passphrase: await frame.secret({ label: "passphrase of the vault", options: "--passphrase-file FILE or --key-file FILE" }),
  };
  const restored = await restoreVault({
    file: resolve(file),
    path: dataPath(frame, "vault", options),
    unlock,
    roots: options.roots === undefined ? [] : readRootsFile(options.roots),
    rootKeys: await openRootKeys(frame, options.rootKey, unlock),
    keepTokens: options.keepTokens === true,
    version: program.version() ?? "unknown",
    seams: machineSeams(),
    log: createLog({ level: "warn", node: "vault" }),
  });
  frame.output.result(restored, (made) => restoredLines(made, options));
}

function restoredLines(restored: Restored, { data, keyFile }: RestoreOptions): string[] {
  const { folder, vaultId, madeAtMs, rootVersion, vaultEpoch, raised, voided } = restored;
  // What opens it is in no backup, and so not in the folder.
  const opens = `${data === undefined ? "" : ` --data ${data}`}${keyFile === undefined ? "" : ` --key-file ${keyFile}`}`;
  const { codes, leases, orders, tokens } = voided;
  return [
    `vault ${vaultId} as of ${new Date(madeAtMs).toISOString()} in ${folder}`,
    `void: ${counted(codes, "enrolment code")}, ${counted(leases, "lease")}, ${counted(orders, "order")}, ${counted(tokens.length, "application token")}`,
    ...(tokens.length === 0 ? [] : [`new tokens: tidegate app token NAME, for ${tokens.join(", ")}`]),
    ...(raised
      ? [`root ${rootVersion}, vault epoch ${vaultEpoch}: every node is unsettled until it has told what it holds`]
      : [
          `root ${rootVersion}: nothing is issued to any node before 'tidegate vault raise-epoch' or 'tidegate root rotate --raise-epoch'`,
        ]),
    `next: tidegate vault run${opens}; once the edges have connected: tidegate vault recover-escrow`,
  ];
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
