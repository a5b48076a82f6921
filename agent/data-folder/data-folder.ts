import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { attemptFolder, DataFolderError } from "./errors.ts";

/** The kinds of node, each with its own folder. */
export type NodeRole = "vault" | "gateway" | "edge";

/** Longest path of a Unix socket on Linux, bytes, without the closing zero (unix(7)). */
const maxSocketPathBytes = 107;

/** SQLITE_BUSY: another process holds the lock (sqlite.org/rescode.html#busy). */
const sqliteBusy = 5;

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

/** Makes the folder, 0700, where it is missing. Throws DATA_UNSAFE, DATA_UNREADABLE and DATA_DISK. */
export function createDataFolder(path: string): DataFolder {
  const folder = dataFolderAt(path);
  for (const each of [folder.path, folder.keys]) makeFolders(each);
  return openDataFolder(path);
}

/**
 * Makes a folder, and those above it, 0700, where they are missing. Throws DATA_UNREADABLE and DATA_DISK. Step by step: Node's own way
 * tries for ever where a folder takes none, as /proc.
 */
export function makeFolders(path: string): void {
  const missing: string[] = [];
  attemptFolder(`cannot make the folder ${path}`, () => {
    for (let at = path; !isThere(at); at = dirname(at)) missing.unshift(at);
    for (const each of missing) {
      mkdirSync(each, { mode: 0o700 });
      chmodSync(each, 0o700);
    }
  });
}

/** True where nothing stands in a new node's place, or an empty folder does. Throws DATA_UNREADABLE and DATA_DISK. */
export function isFreePlace(path: string): boolean {
  return attemptFolder(`cannot look into ${path}`, () => !isThere(path) || readdirSync(path).length === 0);
}

/** Throws what the file system says, unless it says that there is nothing. */
function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The folder of a node that exists. Throws DATA_UNREADABLE where it does not, DATA_UNSAFE where others own or enter it. */
export function openDataFolder(path: string): DataFolder {
  const folder = dataFolderAt(path);
  for (const each of [folder.path, folder.keys]) checkFolder(each);
  return folder;
}

/**
 * Holds the folder against a second process until `release` or the end of this one, also by SIGKILL. Throws DATA_LOCKED and DATA_DISK.
 * Node has no flock; SQLite's own file lock on an otherwise unused file is one that the kernel drops with the process.
 */
export function lockDataFolder(folder: DataFolder): { release(): void } {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(join(folder.path, "lock"), { timeout: 0 });
    database.exec("pragma locking_mode = exclusive; begin exclusive");
    chmodSync(join(folder.path, "lock"), 0o600);
  } catch (cause) {
    database?.close();
    const { errcode } = cause as { errcode?: number };
    if (errcode !== sqliteBusy) {
      throw new DataFolderError("DATA_DISK", `cannot hold ${folder.path} against other processes`, {
        cause,
        hint: "Is its disk full, read-only or failing? 'tidegate doctor' looks.",
      });
    }
    throw new DataFolderError("DATA_LOCKED", `another process runs on ${folder.path}`, {
      cause,
      hint: "Stop it first, or name another folder with --data DIR.",
    });
  }
  return {
    release() {
      if (database?.isOpen) database.close();
    },
  };
}

function checkFolder(path: string): void {
  const status = attemptFolder(`cannot look into ${path}`, () => lstatSync(path, { throwIfNoEntry: false }));
  if (status === undefined) {
    throw new DataFolderError("DATA_UNREADABLE", `there is no node in ${path}`, {
      hint: "Set it up with 'tidegate vault init' or 'tidegate gateway|edge join', or name its folder with --data DIR.",
    });
  }
  if (!status.isDirectory())
    throw new DataFolderError("DATA_UNSAFE", `${path} is not a folder`, { hint: "Name a node's folder with --data DIR." });
  const uid = process.getuid?.();
  if (uid === undefined) return;
  if (status.uid !== uid) {
    throw new DataFolderError("DATA_UNSAFE", `${path} belongs to user ${status.uid}, this process to ${uid}`, {
      hint: "Run the command as the node's own user, such as with 'sudo -u USER'.",
    });
  }
  if ((status.mode & 0o077) !== 0) {
    throw new DataFolderError("DATA_UNSAFE", `${path} is open to its group or to everybody`, { hint: `chmod 700 ${path}` });
  }
}
