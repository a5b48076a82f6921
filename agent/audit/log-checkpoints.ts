import { join } from "node:path";
import { AuditError, type Checkpoint, decodeCheckpoint, maxNoteBytes } from "../../protocol/audit/index.ts";
import { namesIn, readOptional } from "./bounded-file.ts";
import { copyNameOf } from "./copy-name.ts";
import { logFolderNames } from "./mirror.ts";

/** The checkpoints that the folder at `path` is verified against: those of `archives`, then its own. Throws AUDIT_FOLDER_UNREADABLE. */
export function checkpointsFor(path: string, archives: readonly string[]): Uint8Array[] {
  const reach = copyNameOf(path)?.size ?? Number.POSITIVE_INFINITY;
  // An archive that is newer than an export only says that the export was taken before.
  const others = archives.flatMap(checkpointsIn).filter((note) => (decodedOrNull(note)?.size ?? 0) <= reach);
  return [...others, ...checkpointsIn(path)];
}

/** The newest checkpoint in the folder at `path`, not verified; null where there is none that can be read as one. */
export function newestIn(path: string): Checkpoint | null {
  const note = readOptional(join(path, logFolderNames.checkpoint), maxNoteBytes);
  return note === null ? null : decodedOrNull(note);
}

/** The final ones of ended epochs by epoch, the newest last; those that are there. */
function checkpointsIn(path: string): Uint8Array[] {
  const finals = namesIn(join(path, logFolderNames.epochs), false).filter(
    (entry) => entry.isFile() && /^[0-9]+$/.test(entry.name),
  );
  const ordered = finals
    .sort((a, b) => Number(a.name) - Number(b.name))
    .map((entry) => join(path, logFolderNames.epochs, entry.name));
  const all = [...ordered, join(path, logFolderNames.checkpoint)].map((file) => readOptional(file, maxNoteBytes));
  return all.filter((note) => note !== null);
}

function decodedOrNull(note: Uint8Array): Checkpoint | null {
  try {
    return decodeCheckpoint(note);
  } catch (error) {
    if (error instanceof AuditError) return null;
    throw error;
  }
}
