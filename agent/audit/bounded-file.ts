import { type Dirent, lstatSync, readdirSync, readFileSync } from "node:fs";
import { splitEntryBundle, tileWidth } from "../../protocol/audit/index.ts";
import { AuditLogError } from "./errors.ts";

/** Largest entry bundle, bytes: 256 leaves of 8 KiB with their lengths. */
export const maxTileBytes = tileWidth * (2 + 8192);

/** A file of at most `limit` bytes; null where there is none. Throws AUDIT_FOLDER_UNREADABLE. */
export function readOptional(path: string, limit: number): Uint8Array | null {
  try {
    lstatSync(path);
  } catch {
    return null;
  }
  return readBounded(path, limit);
}

/** Regular files only, and none larger than what belongs there. Throws AUDIT_FOLDER_UNREADABLE. */
export function readBounded(path: string, limit: number): Uint8Array {
  try {
    const stat = lstatSync(path);
    if (stat.isFile() && stat.size <= limit) return readFileSync(path);
  } catch (cause) {
    throw unreadable(`${path} cannot be read`, cause);
  }
  throw unreadable(`${path} is no file of at most ${limit} bytes`);
}

/** What `folder` holds; nothing where there is no such folder and it is not `required`. Throws AUDIT_FOLDER_UNREADABLE. */
export function namesIn(folder: string, required: boolean): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    if (!required && (cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unreadable(`${folder} cannot be read`, cause);
  }
}

/** The entries of a bundle's file; what is damaged comes, with what follows it, as one entry that is no leaf. Throws AUDIT_FOLDER_UNREADABLE. */
export function readEntries(path: string): Uint8Array[] {
  const { leaves, rest } = splitEntryBundle(readBounded(path, maxTileBytes));
  if (rest.length > 0) leaves.push(rest);
  return leaves;
}

/** AUDIT_FOLDER_UNREADABLE, with what to name instead. */
export function unreadable(message: string, cause?: unknown): AuditLogError {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  const hint =
    code === "EACCES" || code === "EPERM"
      ? "This user may not read it: run the command as the node's user, or take a copy."
      : "Name a node's data folder, its audit folder, or a copy of either.";
  return new AuditLogError("AUDIT_FOLDER_UNREADABLE", message, { hint, cause });
}
