import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { createDataFolder, type DataFolder, dataFolderPath, type NodeRole } from "../../agent/data-folder/index.ts";
import { createKeyFile, requireOwnersAlone, requireSealKey, type Unlock } from "../../agent/seal-key/index.ts";
import type { Random } from "../../protocol/base/index.ts";
import type { Frame } from "./frame.ts";

/** `--data DIR`, as every command about a node of this machine takes it. */
export function withData(command: Command): Command {
  return command.option("--data <dir>", "the node's data folder");
}

/** `--data` and how the node's seal key is opened. */
export function withUnlock(command: Command): Command {
  return withData(command)
    .option("--key-file <file>", "open the seal key with this file (32 bytes or more, 0600)")
    .option("--passphrase-file <file>", "open the seal key with the passphrase in this file (12 characters or more, 0600)")
    .option("--passphrase", "open the seal key with a passphrase, asked for at the terminal");
}

export interface UnlockOptions {
  readonly data?: string;
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  readonly passphrase?: boolean;
}

/** The data folder's path: --data, else /var/lib/tidegate/ROLE for root, else the user's state folder. */
export function dataPath(frame: Frame, role: NodeRole, options: { readonly data?: string }): string {
  const { stateHome, home } = frame.environment;
  return dataFolderPath({ role, explicit: options.data, stateHome, home, root: process.getuid?.() === 0 });
}

/** What a node's passphrase is called, and the options that stand in for its prompt. */
const label = "passphrase of this node";
const unlockOptions = "--passphrase-file FILE or --key-file FILE";

/** What systemd hands in under this name opens the seal key (`LoadCredential=tidegate-seal-key:…`). */
const credentialName = "tidegate-seal-key";

/** Where the key file lies that a node makes for itself. */
function ownKeyFile(folder: DataFolder): string {
  return join(folder.keys, "key-file");
}

/** How an existing node's seal key is opened: by option, systemd credential, the node's own key file, or a prompt. */
export async function openingUnlock(frame: Frame, folder: DataFolder, options: UnlockOptions): Promise<Unlock> {
  // Nobody shall be asked for what opens nothing.
  requireSealKey(folder.sealKey);
  const named = await givenUnlock(frame, options, false);
  if (named !== null) return named;
  if (existsSync(ownKeyFile(folder))) return { kind: "key-file", path: ownKeyFile(folder) };
  return { kind: "passphrase", passphrase: await frame.secret({ label, options: unlockOptions }) };
}

export interface CreatedUnlock {
  readonly unlock: Unlock;
  /** What to say of it once the node is made; null where the operator chose it. */
  readonly note: string | null;
}

/** How a new node's seal key is sealed: by option or systemd credential, else under a new key file of its own. */
export async function creatingUnlock(
  frame: Frame,
  options: UnlockOptions & { readonly folder: DataFolder; readonly random: Random },
): Promise<CreatedUnlock> {
  const named = await givenUnlock(frame, options, true);
  if (named !== null) return { unlock: named, note: null };
  const path = ownKeyFile(options.folder);
  if (!existsSync(path)) createKeyFile(path, options.random);
  const note = `sealed under the key file ${path}: it protects a stolen database, not a stolen disk (--passphrase does)`;
  return { unlock: { kind: "key-file", path }, note };
}

/** What the options or systemd name to open a seal key with; null where they name nothing. */
export async function givenUnlock(frame: Frame, options: UnlockOptions, confirm: boolean): Promise<Unlock | null> {
  const { credentialsDirectory } = frame.environment;
  if (options.keyFile !== undefined) return { kind: "key-file", path: options.keyFile };
  if (options.passphraseFile !== undefined || options.passphrase) {
    const fromFile = options.passphraseFile;
    // What systemd hands in has its own access control.
    const handedIn = credentialsDirectory !== undefined && fromFile !== undefined && dirname(fromFile) === credentialsDirectory;
    const judge = handedIn ? undefined : requireOwnersAlone;
    return { kind: "passphrase", passphrase: await frame.secret({ label, options: unlockOptions, fromFile, judge, confirm }) };
  }
  if (credentialsDirectory === undefined) return null;
  const path = join(credentialsDirectory, credentialName);
  return existsSync(path) ? { kind: "credential-file", path } : null;
}

/** Makes the data folder of a new node. */
export function newDataFolder(frame: Frame, role: NodeRole, options: { readonly data?: string }): DataFolder {
  return createDataFolder(dataPath(frame, role, options));
}
