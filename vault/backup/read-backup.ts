import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { Secret } from "../../protocol/base/index.ts";
import { type BackupHeader, openBackup } from "./backup-format.ts";
import { BackupError } from "./codes.ts";
import { maxConfigBytes } from "./limits.ts";
import { checkImage } from "./store-image.ts";

/** What a backup held. */
export interface BackupContent {
  /** `tidegate.yaml`. */
  readonly config: Uint8Array;
  /** The store's file. */
  readonly image: Uint8Array;
}

/**
 * Reads a whole backup. `keyOf` opens its sealed master key and gives the key of this backup. Nothing is believed before every piece was
 * opened and the store in it read by SQLite. Throws BACKUP_* and what `keyOf` throws.
 */
export async function readBackup(path: string, keyOf: (header: BackupHeader) => Promise<Secret>): Promise<BackupContent> {
  const descriptor = openFile(path);
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new BackupError("BACKUP_FILE", `${path} is not a file`, { hint });
    const backup = openBackup(descriptor, status.size);
    const key = await keyOf(backup.header);
    const plaintext = new Uint8Array(backup.header.length);
    let at = 0;
    try {
      key.use((bytes) => {
        for (const piece of backup.pieces(bytes)) {
          plaintext.set(piece, at);
          at += piece.length;
        }
      });
    } finally {
      key.wipe();
    }
    return split(plaintext);
  } finally {
    closeSync(descriptor);
  }
}

const hint = "Name the file that 'tidegate vault backup' made; this user must be able to read it.";

function openFile(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new BackupError("BACKUP_FILE", `cannot read ${path}`, { cause, hint });
  }
}

function split(plaintext: Uint8Array): BackupContent {
  const configBytes = plaintext.length < 4 ? maxConfigBytes + 1 : new DataView(plaintext.buffer).getUint32(0);
  if (configBytes > maxConfigBytes || 4 + configBytes > plaintext.length)
    throw new BackupError("BACKUP_DAMAGED", "the backup's content is of another form");
  const image = plaintext.subarray(4 + configBytes);
  checkImage(image);
  return { config: plaintext.subarray(4, 4 + configBytes), image };
}
