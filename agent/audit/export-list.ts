import { hash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AuditError, parseOrigin } from "../../protocol/audit/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { copyNameOf } from "./copy-name.ts";
import { newestIn } from "./log-checkpoints.ts";
import { maxStatementBytes } from "./log-folder.ts";
import { logFolderNames } from "./mirror.ts";

/** A file that belongs to a copy and is not there as it was written, or proves nothing. */
export interface DamagedFile {
  /** Its path in the folder. */
  readonly file: string;
  /** What is wrong with it, as the end of a sentence that begins with its name. */
  readonly says: string;
}

/** Name of the list that makes an export whole. */
const listName = "MANIFEST";
const line = /^([0-9a-f]{64}) {2}([a-z0-9][a-zA-Z0-9._/-]{0,255})$/;
/** What the verifier proves from the entries and keys themselves, where it is there: damage there has a name of its own. */
const proven = /^(tile\/|epochs\/|checkpoint$|entries\.jsonl$|keys\.jsonl$|member\.cbor$|roots\.cbor$)/;

/** What every export holds and would not be missed by what proves the entries. */
const listed = [
  logFolderNames.lines,
  logFolderNames.keys,
  "proof.json",
  "custody.json",
  "summary.html",
  "summary.csv",
  "checkpoint.png",
];

/**
 * Files of the export at `path` that are missing, or not listed or other than listed where nothing but the list vouches for them: damage by
 * accident. Who changes a file on purpose can change the list too. Empty for a folder that is no export.
 */
export function damagedFiles(path: string): DamagedFile[] {
  const list = join(path, listName);
  if (!existsSync(list)) return copyNameOf(path) === null ? [] : [{ file: listName, says: "is missing" }];
  const lines = bounded(list)?.toString("latin1").trimEnd().split("\n") ?? [];
  const digests = new Map<string, string>();
  for (const text of lines) {
    const [, digest, name] = line.exec(text) ?? [];
    if (digest === undefined || name === undefined || name.split("/").includes(".."))
      return [{ file: listName, says: "is not a list of files" }];
    digests.set(name, digest);
  }
  const expected = new Set([...digests.keys(), ...listed, ...cosignedFiles(path)]);
  return [...expected].flatMap((file): DamagedFile[] => {
    const says = faultOf(join(path, file), { digest: digests.get(file), compared: !proven.test(file) });
    return says === null ? [] : [{ file, says }];
  });
}

/**
 * The name under which the export at `path`, whose own entries begin at `from`, was written, where its folder has another one by now: nothing else
 * says that it need not reach as far as a newer archive. Null for anything else.
 */
export function lostNameOf(path: string, from: number): string | null {
  const newest = newestIn(path);
  if (newest === null || copyNameOf(path) !== null || !existsSync(join(path, listName))) return null;
  try {
    return `${parseOrigin(newest.origin).serial}-${from}-${newest.size}`;
  } catch (error) {
    if (error instanceof AuditError) return null;
    throw error;
  }
}

function faultOf(path: string, { digest, compared }: { digest: string | undefined; compared: boolean }): string | null {
  if (!isFile(path)) return digest === undefined ? "is missing" : `is missing, and ${listName} lists it`;
  if (digest === undefined) return `is not listed in ${listName}`;
  if (!compared) return null;
  const bytes = bounded(path);
  return bytes !== null && toHex(hash("sha256", bytes, "buffer")) === digest ? null : `is not the file that ${listName} lists`;
}

/** Files of the heads that a witness cosigned, each named by its node. */
export function cosignedFiles(path: string): string[] {
  try {
    const names = readdirSync(join(path, logFolderNames.cosigned));
    return names.filter((name) => /^[a-z2-7]{32}$/.test(name)).map((name) => `${logFolderNames.cosigned}/${name}`);
  } catch {
    return [];
  }
}

/** A file's bytes; null where it is none or too large to be of an export. */
export function bounded(path: string): Buffer | null {
  try {
    const status = lstatSync(path);
    return status.isFile() && status.size <= 4 * maxStatementBytes ? readFileSync(path) : null;
  } catch {
    return null;
  }
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
