import { AuditError, parseOrigin } from "../../protocol/audit/index.ts";
import { copyNameOf } from "./copy-name.ts";
import { AuditLogError } from "./errors.ts";
import { newestIn } from "./log-checkpoints.ts";
import { findLogFolders } from "./log-folder.ts";

/**
 * Folders at `paths`, which are media or folders on them, that hold entries of the logs in `folders`: by the place in `folders`. Throws
 * AUDIT_FOLDER_UNREADABLE where one of the paths holds nothing of any.
 */
export function findArchives(folders: readonly string[], paths: readonly string[]): string[][] {
  const found = folders.map((): string[] => []);
  for (const path of paths) {
    const candidates = findLogFolders(path).filter((each) => !folders.includes(each));
    let taken = 0;
    for (const [at, folder] of folders.entries()) {
      const origin = newestIn(folder)?.origin;
      if (origin === undefined) continue;
      const mine = candidates.filter((each) => isOf(each, origin));
      found[at]?.push(...mine);
      taken += mine.length;
    }
    if (taken === 0) throw new AuditLogError("AUDIT_FOLDER_UNREADABLE", `${path} holds no archive of the log that is verified`);
  }
  return found;
}

/** What lost its checkpoint is still named for the log that it is of: it must not go unnoticed. */
function isOf(path: string, origin: string): boolean {
  const newest = newestIn(path);
  if (newest !== null) return newest.origin === origin;
  const name = copyNameOf(path);
  try {
    const { node, serial } = parseOrigin(origin);
    return name !== null && name.node === node && name.serial === serial;
  } catch (error) {
    if (error instanceof AuditError) return false;
    throw error;
  }
}
