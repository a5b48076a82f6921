import { hash } from "node:crypto";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { toHex } from "../../protocol/base/index.ts";
import { exportName, maxStatementBytes } from "./log-folder.ts";

/** Name of the list that makes an export whole. */
const listName = "MANIFEST";
const line = /^([0-9a-f]{64}) {2}([a-z0-9][a-zA-Z0-9._/-]{0,255})$/;
/** What the verifier proves from the entries and keys themselves: damage there has a name of its own. */
const proven = /^(tile\/|epochs\/|checkpoint$|entries\.jsonl$|keys\.jsonl$|member\.cbor$|roots\.cbor$)/;

/**
 * Files of the export at `path` that nothing but its list vouches for, and that are missing or other than listed: damage by accident. Who
 * changes a file on purpose can change the list too. Empty for a folder that is no export.
 */
export function damagedFiles(path: string): string[] {
  const list = join(path, listName);
  if (!existsSync(list)) return exportName.test(basename(path)) ? [listName] : [];
  const lines = bounded(list)?.toString("latin1").trimEnd().split("\n") ?? [];
  return lines.flatMap((text) => {
    const [, digest, name] = line.exec(text) ?? [];
    if (digest === undefined || name === undefined || name.split("/").includes("..")) return [listName];
    if (proven.test(name)) return [];
    const bytes = bounded(join(path, name));
    return bytes !== null && toHex(hash("sha256", bytes, "buffer")) === digest ? [] : [name];
  });
}

function bounded(path: string): Buffer | null {
  try {
    const status = lstatSync(path);
    return status.isFile() && status.size <= 4 * maxStatementBytes ? readFileSync(path) : null;
  } catch {
    return null;
  }
}
