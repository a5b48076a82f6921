import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { type DataFolder, syncFolder } from "../../agent/data-folder/index.ts";
import { concat, lengthPrefixed, sameBytes, toBase32 } from "../../protocol/base/index.ts";
import type { VaultCore } from "../streams/index.ts";
import { encodeHeader, openBackup, pieceCount, sealPiece } from "./backup-format.ts";
import { BackupError } from "./codes.ts";
import { maxBackupBytes, maxConfigBytes, pieceBytes } from "./limits.ts";
import { checkImage } from "./store-image.ts";

/** What a backup was, once it was read back. */
export interface BackupMade {
  readonly path: string;
  readonly bytes: number;
  readonly madeAtMs: number;
}

/**
 * Writes a sealed backup of a vault that may be running: one moment of its store, its configuration and its sealed master key. The file
 * appears under its name only once it was read back, opened and compared. Throws BACKUP_*, VAULT_STORE_*.
 */
export async function writeBackup(core: VaultCore, folder: DataFolder, path: string): Promise<BackupMade> {
  if (existsSync(path)) throw new BackupError("BACKUP_FILE", `${path} exists`, { hint: "Name a new file." });
  const image = await core.store.image();
  checkImage(image);
  const config = readFileSync(folder.config);
  if (config.length > maxConfigBytes)
    throw new BackupError("BACKUP_FILE", `${folder.config} has ${config.length} bytes`, {
      hint: `A backup takes a configuration of at most ${maxConfigBytes} bytes.`,
    });
  const plaintext = concat(lengthPrefixed(config), image);
  if (plaintext.length > maxBackupBytes) throw new BackupError("BACKUP_STORE_DAMAGED", `the store has ${image.length} bytes`);
  const madeAtMs = core.clock.wallMs();
  const salt = core.random(32);
  const sealKey = new Uint8Array(readFileSync(folder.sealKey));
  const header = encodeHeader({ vaultId: core.vaultId, madeAtMs, sealKey, salt, length: plaintext.length });
  const key = core.seal.backupKey(salt);
  const temporary = `${path}.${toBase32(core.random(5))}`;
  try {
    const bytes = await writePieces(temporary, { header, key, plaintext });
    await compare(temporary, { key, plaintext });
    // A link fails where the name is taken by now; a rename would not.
    linkSync(temporary, path);
    rmSync(temporary);
    syncFolder(dirname(path));
    await noteBackup(core, bytes);
    return { path, bytes, madeAtMs };
  } catch (cause) {
    rmSync(temporary, { force: true });
    if (!isSystemError(cause)) throw cause;
    throw new BackupError("BACKUP_FILE", `cannot write ${path}: ${cause.code}`, {
      cause,
      hint: "The vault's own process writes it: name a new file in a folder that is there and that its user may write to.",
    });
  } finally {
    key.fill(0);
  }
}

async function writePieces(
  path: string,
  what: { header: { bytes: Uint8Array; digest: Uint8Array }; key: Uint8Array; plaintext: Uint8Array },
): Promise<number> {
  const { header, key, plaintext } = what;
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    let bytes = writeWhole(descriptor, header.bytes);
    const count = pieceCount(plaintext.length);
    for (let index = 0; index < count; index += 1) {
      const piece = plaintext.subarray(index * pieceBytes, (index + 1) * pieceBytes);
      bytes += writeWhole(descriptor, sealPiece(key, { digest: header.digest, index, last: index === count - 1 }, piece));
      await otherWork();
    }
    fsyncSync(descriptor);
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

/** Reads the file back as a restore would, and compares what is in it with what was put there. */
async function compare(path: string, { key, plaintext }: { key: Uint8Array; plaintext: Uint8Array }): Promise<void> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const read = createHash("sha256");
  try {
    for (const piece of openBackup(descriptor, fstatSync(descriptor).size).pieces(key)) {
      read.update(piece);
      await otherWork();
    }
  } catch (cause) {
    if (!(cause instanceof BackupError)) throw cause;
    throw new BackupError("BACKUP_NOT_VERIFIED", `${path} does not read back`, { cause });
  } finally {
    closeSync(descriptor);
  }
  const expected = createHash("sha256").update(plaintext).digest();
  if (!sameBytes(read.digest(), expected)) throw new BackupError("BACKUP_NOT_VERIFIED", `${path} reads back as something else`);
}

function noteBackup(core: VaultCore, size: number): Promise<void> {
  return core.store.transaction((tx) =>
    core.log.append(tx, {
      action: "vault.backup",
      actor: { kind: "operator", id: "local" },
      subject: { kind: "node", id: "vault" },
      outcome: "ok",
      details: { size },
    }),
  );
}

/** A running vault goes on between two pieces. */
function otherWork(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function writeWhole(descriptor: number, bytes: Uint8Array): number {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
  return bytes.length;
}

function isSystemError(cause: unknown): cause is NodeJS.ErrnoException & { code: string } {
  return cause instanceof Error && "syscall" in cause && "code" in cause && typeof cause.code === "string";
}
