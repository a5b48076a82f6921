import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type DataFolder, dataFolderAt } from "../../agent/data-folder/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import { type Finding, failure, good, warning } from "./finding.ts";
import { futureMs, leastFreeBytes, leastFreePart } from "./limits.ts";
import type { MachineFacts } from "./machine-facts.ts";

/** File systems that are no place for a node's state, by their number (linux/magic.h). */
const fileSystems: Readonly<Record<number, string>> = {
  [0x01021994]: "tmpfs: all is gone without power",
  [0x858458f6]: "ramfs: all is gone without power",
  [0x6969]: "NFS: locks and syncs are only as good as the server",
  [0xff534d42]: "CIFS: locks and syncs are only as good as the server",
  [0xfe534d42]: "SMB: locks and syncs are only as good as the server",
};

/** SQLite's result code for "another process holds it". */
const sqliteBusy = 5;

/** What can be said of a data folder without its key. */
export function folderChecks(path: string, facts: MachineFacts): Finding[] {
  const folder = dataFolderAt(path);
  return [disk(path, facts), permissions(folder, facts), keys(folder), store(folder), times(folder, facts)];
}

function disk(path: string, facts: MachineFacts): Finding {
  const { free, total, type } = facts.space(path);
  const says = `${mebibytes(free)} of ${mebibytes(total)} MiB are free`;
  const unfit = fileSystems[type];
  if (free < leastFreeBytes)
    return failure(
      "disk space",
      says,
      "Free some space: below 16 MiB a node begins no rotation and leaves out what can wait, until there is room again; where its check 'store' is red, restart it too.",
    );
  if (unfit !== undefined) return warning("disk space", unfit, "Put the data folder on a local disk with --data DIR.");
  if (free < total * leastFreePart)
    return warning(
      "disk space",
      says,
      "Free some space before the node must leave things out: 'tidegate audit archive MOUNT' moves the old part of its log away.",
    );
  return good("disk space", says);
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / (1024 * 1024));
}

/** Everything in the folder is its owner's alone; links are followed nowhere. */
function permissions({ path, keys: keyFolder }: DataFolder, { uid }: MachineFacts): Finding {
  const own = [path, keyFolder].filter(existsSync);
  const inside = own.flatMap((each) => readdirSync(each).map((name) => join(each, name)));
  for (const each of [...own, ...inside]) {
    const status = lstatSync(each, { throwIfNoEntry: false });
    // Public by design: the authority's certificate, the audit log's files, and sockets that the folder guards.
    if (status === undefined || each.endsWith("ca.pem") || status.isSocket()) continue;
    if (uid !== null && uid !== 0 && status.uid !== uid) {
      return failure("permissions", `${each} belongs to user ${status.uid}, not to you (${uid})`, `chown -R ${uid} ${path}`);
    }
    if ((status.mode & 0o077) !== 0 && !status.isSymbolicLink())
      return failure("permissions", `${each} is open to its group or to everybody`, `chmod go= ${each}`);
  }
  return good("permissions", `${path} is its owner's alone`);
}

function keys({ sealKey, keys: keyFolder }: DataFolder): Finding {
  if (!existsSync(sealKey)) {
    return failure(
      "keys",
      `there is no sealed key in ${sealKey}`,
      "Without it nothing in the store opens: restore a backup, or join again.",
    );
  }
  const left = ["root.sealed", "recovery.sealed"].filter((name) => existsSync(join(keyFolder, name)));
  if (left.length > 0) {
    return warning(
      "keys",
      `${left.join(" and ")} still lie beside the vault`,
      "Carry them away to two safe places, then remove them here.",
    );
  }
  if (existsSync(join(keyFolder, "key-file"))) {
    return warning(
      "keys",
      "the key file lies on the disk that it protects",
      "A stolen disk opens: see 'Opening the store key' in docs/operations.md.",
    );
  }
  return good("keys", "sealed, and what opens them is elsewhere");
}

/** SQLite reads all of it, beside a node that runs too; what is sealed in it is checked by the node itself as it starts. */
function store({ store: path }: DataFolder): Finding {
  const damaged = "Keep the folder as evidence; restore a vault from its last backup, join a gateway or edge again.";
  if (!existsSync(path)) return failure("store", `there is no store in ${path}`, damaged);
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    try {
      const said = Object.values(database.prepare("pragma integrity_check(1)").get() ?? {})[0];
      if (said !== "ok") return failure("store", `SQLite says: ${String(said)}`, damaged);
    } finally {
      database.close();
    }
  } catch (error) {
    if (error instanceof TidegateError || !(error instanceof Error)) throw error;
    // A running gateway or edge shares its store with nobody.
    if ("errcode" in error && error.errcode === sqliteBusy) return good("store", "in use: a node reads all of it as it starts");
    return failure("store", `SQLite cannot read it: ${error.message}`, damaged);
  }
  return good("store", "SQLite reads all of it");
}

/** A file from the future: the clock was set back, or is wrong now. */
function times({ store: path, mark }: DataFolder, { nowMs }: MachineFacts): Finding {
  const newest = Math.max(
    0,
    ...[path, `${path}-wal`, mark].map((each) => lstatSync(each, { throwIfNoEntry: false })?.mtimeMs ?? 0),
  );
  if (newest <= nowMs + futureMs) return good("clock since the last write", "it went on");
  const says = `the store was written at ${new Date(newest).toISOString()}, which is still to come`;
  return failure("clock since the last write", says, "Set the clock: it runs behind what this node has seen.");
}
