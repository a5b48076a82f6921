import { chmodSync, existsSync, lstatSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DataFolderError } from "./errors.ts";

/** The kinds of node, each with its own folder. */
export type NodeRole = "vault" | "gateway" | "edge";

/** Longest path of a Unix socket on Linux, bytes, without the closing zero (unix(7)). */
const maxSocketPathBytes = 107;

export interface DataFolderChoice {
  readonly role: NodeRole;
  /** `--data DIR`; wins over everything else. */
  readonly explicit?: string | undefined;
  /** `$XDG_STATE_HOME`, and the home folder for its default. */
  readonly stateHome?: string | undefined;
  readonly home?: string | undefined;
  /** True where the process is root, whose nodes live in /var/lib. */
  readonly root: boolean;
}

/** The absolute path of a node's data folder. Throws DATA_UNREADABLE where nothing tells it. */
export function dataFolderPath(choice: DataFolderChoice): string {
  if (choice.explicit !== undefined) return resolve(choice.explicit);
  if (choice.root) return join("/var/lib/tidegate", choice.role);
  const state = choice.stateHome ?? (choice.home === undefined ? undefined : join(choice.home, ".local", "state"));
  if (state === undefined) {
    throw new DataFolderError("DATA_UNREADABLE", "no home folder to keep data in", { hint: "Name a folder with --data DIR." });
  }
  return resolve(state, "tidegate", choice.role);
}

/** Where each thing of a node lies. */
export interface DataFolder {
  readonly path: string;
  readonly config: string;
  readonly store: string;
  /** Folder of what unlocks the store: the sealed store key and the high-water mark. */
  readonly keys: string;
  readonly sealKey: string;
  readonly mark: string;
  /** Room that is kept for the store. */
  readonly reserve: string;
  readonly adminSocket: string;
  readonly apiSocket: string;
  readonly run: string;
  /** Certificate of the authority that signed this node's, for applications that read over TLS. */
  readonly authority: string;
}

/** The names inside a folder, without touching the disk. Throws DATA_PATH_TOO_LONG. */
export function dataFolderAt(path: string): DataFolder {
  const keys = join(path, "keys");
  const folder = {
    path,
    config: join(path, "tidegate.yaml"),
    store: join(path, "node.db"),
    keys,
    sealKey: join(keys, "seal-key"),
    mark: join(keys, "high-water-mark"),
    reserve: join(path, "reserve"),
    adminSocket: join(path, "admin.sock"),
    apiSocket: join(path, "api.sock"),
    run: join(path, "run.json"),
    authority: join(path, "ca.pem"),
  };
  if (Buffer.byteLength(folder.adminSocket) > maxSocketPathBytes) {
    throw new DataFolderError(
      "DATA_PATH_TOO_LONG",
      `the path of ${path} leaves no room for a socket (${maxSocketPathBytes} bytes)`,
      {
        hint: "Choose a shorter folder with --data DIR.",
      },
    );
  }
  return folder;
}

/** Makes the folder, 0700, where it is missing. Throws DATA_UNSAFE and DATA_UNREADABLE. */
export function createDataFolder(path: string): DataFolder {
  const folder = dataFolderAt(path);
  for (const each of [folder.path, folder.keys]) makeFolder(each);
  return openDataFolder(path);
}

/** The folder of a node that exists. Throws DATA_UNREADABLE where it does not, DATA_UNSAFE where others own or enter it. */
export function openDataFolder(path: string): DataFolder {
  const folder = dataFolderAt(path);
  for (const each of [folder.path, folder.keys]) checkFolder(each);
  return folder;
}

/**
 * Holds the folder against a second process until `release` or the end of this one, also by SIGKILL. Throws DATA_LOCKED.
 * Node has no flock; SQLite's own file lock on an otherwise unused file is one that the kernel drops with the process.
 */
export function lockDataFolder(folder: DataFolder): { release(): void } {
  const database = new DatabaseSync(join(folder.path, "lock"), { timeout: 0 });
  try {
    database.exec("pragma locking_mode = exclusive; begin exclusive");
    chmodSync(join(folder.path, "lock"), 0o600);
  } catch (cause) {
    database.close();
    throw new DataFolderError("DATA_LOCKED", `another process runs on ${folder.path}`, {
      cause,
      hint: "Stop it first, or name another folder with --data DIR.",
    });
  }
  return {
    release() {
      if (database.isOpen) database.close();
    },
  };
}

function makeFolder(path: string): void {
  if (existsSync(path)) return;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(path, 0o700);
  } catch (cause) {
    throw new DataFolderError("DATA_UNREADABLE", `cannot make the folder ${path}`, { cause });
  }
}

function checkFolder(path: string): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) {
    throw new DataFolderError("DATA_UNREADABLE", `there is no node in ${path}`, {
      hint: "Set it up with 'tidegate vault init' or 'tidegate gateway|edge join', or name its folder with --data DIR.",
    });
  }
  if (!status.isDirectory()) throw new DataFolderError("DATA_UNSAFE", `${path} is not a folder`);
  const uid = process.getuid?.();
  if (uid === undefined) return;
  if (status.uid !== uid) {
    throw new DataFolderError("DATA_UNSAFE", `${path} belongs to user ${status.uid}, this process to ${uid}`);
  }
  if ((status.mode & 0o077) !== 0) {
    throw new DataFolderError("DATA_UNSAFE", `${path} is open to its group or to everybody`, { hint: `chmod 700 ${path}` });
  }
}
