import { join } from "node:path";
import { AuditError, decodeCheckpoint, maxNoteBytes } from "../../protocol/audit/index.ts";
import { readOptional } from "./bounded-file.ts";
import { AuditLogError } from "./errors.ts";
import { findLogFolders } from "./log-folder.ts";
import { logFolderNames } from "./mirror.ts";

/**
 * Folders at `paths`, which are media or folders on them, that hold entries of the logs in `folders`: by the place in `folders`. Throws
 * AUDIT_FOLDER_UNREADABLE where one of the paths holds nothing of any.
 */
export function findArchives(folders: readonly string[], paths: readonly string[]): string[][] {
  const found = folders.map((): string[] => []);
  for (const path of paths) {
    const candidates = findLogFolders(path).filter((each) => !folders.includes(each));
    const origins = candidates.map(originIn);
    let taken = 0;
    for (const [at, folder] of folders.entries()) {
      const origin = originIn(folder);
      const mine = candidates.filter((_, place) => origin !== null && origins[place] === origin);
      found[at]?.push(...mine);
      taken += mine.length;
    }
    if (taken === 0) throw new AuditLogError("AUDIT_FOLDER_UNREADABLE", `${path} holds no archive of the log that is verified`);
  }
  return found;
}

function originIn(folder: string): string | null {
  try {
    const bytes = readOptional(join(folder, logFolderNames.checkpoint), maxNoteBytes);
    return bytes === null ? null : decodeCheckpoint(bytes).origin;
  } catch (error) {
    if (error instanceof AuditError) return null;
    throw error;
  }
}
