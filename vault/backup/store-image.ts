import { DatabaseSync } from "node:sqlite";
import { BackupError } from "./codes.ts";

/** Offsets of the file format versions, and what says "rollback journal" there (https://www.sqlite.org/fileformat.html, 1.3.3). */
const journalMode = { write: 18, read: 19, legacy: 1 } as const;

/** Opens a store's image in memory and has SQLite read all of it. Throws BACKUP_STORE_DAMAGED. */
export function checkImage(image: Uint8Array): void {
  const bytes = Uint8Array.from(image);
  // In memory there is no write-ahead log: an image that asks for one does not open.
  bytes[journalMode.write] = journalMode.legacy;
  bytes[journalMode.read] = journalMode.legacy;
  const database = new DatabaseSync(":memory:");
  try {
    database.deserialize(bytes);
    const found = Object.values(database.prepare("pragma integrity_check(1)").get() ?? {})[0];
    if (found !== "ok") throw new BackupError("BACKUP_STORE_DAMAGED", `the store is damaged: ${String(found)}`);
    const [orphan] = database.prepare("pragma foreign_key_check").all();
    if (orphan !== undefined) throw new BackupError("BACKUP_STORE_DAMAGED", "the store's rows do not belong together");
  } catch (cause) {
    if (cause instanceof BackupError) throw cause;
    throw new BackupError("BACKUP_STORE_DAMAGED", "the store does not open", { cause });
  } finally {
    database.close();
  }
}
