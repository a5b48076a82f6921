import { hash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { toHex } from "../../protocol/base/index.ts";
import { exportName, maxStatementBytes } from "./log-folder.ts";
import { logFolderNames } from "./mirror.ts";

/** Name of the list that makes an export whole. */
const listName = "MANIFEST";
const line = /^([0-9a-f]{64}) {2}([a-z0-9][a-zA-Z0-9._/-]{0,255})$/;
/** What the verifier proves from the entries and keys themselves: damage there has a name of its own. */
const proven = /^(tile\/|epochs\/|checkpoint$|entries\.jsonl$|keys\.jsonl$|member\.cbor$|roots\.cbor$)/;

/** What every export holds beside the log, and nothing proves but its list. */
const listed = ["proof.json", "custody.json", "summary.html", "summary.csv", "checkpoint.png"];

/**
 * Files of the export at `path` that nothing but its list vouches for, and that are missing, not listed or other than listed: damage by
 * accident. Who changes a file on purpose can change the list too. Empty for a folder that is no export.
 */
export function damagedFiles(path: string): string[] {
  const list = join(path, listName);
  if (!existsSync(list)) return exportName.test(basename(path)) ? [listName] : [];
  const lines = bounded(list)?.toString("latin1").trimEnd().split("\n") ?? [];
  const digests = new Map<string, string>();
  for (const text of lines) {
    const [, digest, name] = line.exec(text) ?? [];
    if (digest === undefined || name === undefined || name.split("/").includes("..")) return [listName];
    digests.set(name, digest);
  }
  const expected = new Set([...digests.keys(), ...listed, ...cosignedFiles(path)]);
  return [...expected].filter((name) => {
    if (proven.test(name)) return false;
    const bytes = bounded(join(path, name));
    return bytes === null || toHex(hash("sha256", bytes, "buffer")) !== digests.get(name);
  });
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
