import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { readSync } from "node:fs";
import {
  asBytes,
  asBytesUpTo,
  asTuple,
  asUint,
  concat,
  decodeTcbor,
  encodeTcbor,
  sameBytes,
  TidegateError,
  u32be,
  u64be,
  utf8,
} from "../../protocol/base/index.ts";
import { BackupError } from "./codes.ts";
import { maxBackupBytes, maxHeaderBytes, pieceBytes } from "./limits.ts";

/** What stands unsealed at the beginning of a backup: nothing secret, and what its key is found by. */
export interface BackupHeader {
  /** 32 bytes. */
  readonly vaultId: Uint8Array;
  /** By the vault's clock. */
  readonly madeAtMs: number;
  /** The sealed master key, as it lies in the vault's folder. */
  readonly sealKey: Uint8Array;
  /** 32 random bytes: each backup has a key of its own. */
  readonly salt: Uint8Array;
  /** Bytes before they were sealed. */
  readonly length: number;
}

const magic = utf8("tidegate-backup/1\n");
const magicStart = utf8("tidegate-backup/");
const tagBytes = 16;
const digestBytes = 32;
const cipher = "chacha20-poly1305";

/** `magic ‖ u32be length ‖ header ‖ SHA-256 of all before`; the digest binds the pieces to it. */
export function encodeHeader(header: BackupHeader): { bytes: Uint8Array; digest: Uint8Array } {
  const body = encodeTcbor([header.vaultId, header.madeAtMs, header.sealKey, header.salt, header.length]);
  const before = concat(magic, u32be(body.length), body);
  const digest = digestOf(before);
  return { bytes: concat(before, digest), digest };
}

/** One sealed piece; the last one says so, and none can be moved, dropped or taken from another backup. */
export function sealPiece(key: Uint8Array, place: PiecePlace, piece: Uint8Array): Uint8Array {
  const sealing = createCipheriv(cipher, key, nonceOf(place), { authTagLength: tagBytes });
  sealing.setAAD(place.digest, { plaintextLength: piece.length });
  return concat(sealing.update(piece), sealing.final(), sealing.getAuthTag());
}

/** Where a piece stands. */
export interface PiecePlace {
  /** Of the header. */
  readonly digest: Uint8Array;
  readonly index: number;
  readonly last: boolean;
}

/** A backup that is open for reading, from an open file. */
export interface OpenBackup {
  readonly header: BackupHeader;
  /** The pieces one after the other, opened. Throws BACKUP_DAMAGED. */
  pieces(key: Uint8Array): Generator<Uint8Array>;
}

/** Reads the beginning and judges the size before anything is opened. Throws BACKUP_FOREIGN, BACKUP_CUT, BACKUP_DAMAGED. */
export function openBackup(descriptor: number, fileBytes: number): OpenBackup {
  const start = readAt(descriptor, 0, Math.min(fileBytes, magic.length + 4));
  const known = Math.min(start.length, magic.length);
  if (!sameBytes(start.subarray(0, known), magic.subarray(0, known))) throw foreign(start);
  if (start.length < magic.length + 4) throw cut();
  const headerBytes = new DataView(start.buffer, start.byteOffset + magic.length).getUint32(0);
  if (headerBytes > maxHeaderBytes) throw damaged();
  const before = start.length + headerBytes;
  if (fileBytes < before + digestBytes) throw cut();
  const whole = readAt(descriptor, 0, before + digestBytes);
  const digest = whole.subarray(before);
  if (!sameBytes(digest, digestOf(whole.subarray(0, before)))) throw damaged();
  const header = decodeHeader(whole.subarray(start.length, before));
  const count = pieceCount(header.length);
  const expected = before + digestBytes + header.length + count * tagBytes;
  if (fileBytes < expected) throw cut();
  if (fileBytes > expected) throw damaged();
  return { header, pieces: (key) => piecesOf(descriptor, { header, digest, from: before + digestBytes, count, key }) };
}

/** How many pieces a plaintext of this length has; an empty one has one, so that there is a last one. */
export function pieceCount(length: number): number {
  return Math.max(1, Math.ceil(length / pieceBytes));
}

function* piecesOf(
  descriptor: number,
  what: { header: BackupHeader; digest: Uint8Array; from: number; count: number; key: Uint8Array },
): Generator<Uint8Array> {
  const { header, digest, count, key } = what;
  for (let index = 0; index < count; index += 1) {
    const last = index === count - 1;
    const bytes = last ? header.length - index * pieceBytes : pieceBytes;
    const sealed = readAt(descriptor, what.from + index * (pieceBytes + tagBytes), bytes + tagBytes);
    if (sealed.length < bytes + tagBytes) throw cut();
    yield openPiece(key, { digest, index, last }, sealed);
  }
}

function openPiece(key: Uint8Array, place: PiecePlace, sealed: Uint8Array): Uint8Array {
  const opening = createDecipheriv(cipher, key, nonceOf(place), { authTagLength: tagBytes });
  opening.setAAD(place.digest, { plaintextLength: sealed.length - tagBytes });
  opening.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  try {
    return concat(opening.update(sealed.subarray(0, sealed.length - tagBytes)), opening.final());
  } catch (cause) {
    throw damaged(cause);
  }
}

function nonceOf({ index, last }: PiecePlace): Uint8Array {
  return concat(u64be(index), Uint8Array.of(0, 0, 0, last ? 1 : 0));
}

function decodeHeader(bytes: Uint8Array): BackupHeader {
  try {
    const [vaultId, madeAtMs, sealKey, salt, length] = asTuple(decodeTcbor(bytes), "backup", 5);
    return {
      vaultId: asBytes(vaultId, "backup.vaultId", 32),
      madeAtMs: asUint(madeAtMs, "backup.madeAt"),
      sealKey: asBytesUpTo(sealKey, "backup.sealKey", maxHeaderBytes),
      salt: asBytes(salt, "backup.salt", 32),
      length: asUint(length, "backup.length", maxBackupBytes),
    };
  } catch (cause) {
    if (cause instanceof TidegateError)
      throw new BackupError("BACKUP_FOREIGN", "the backup's header is of another form", { cause });
    throw cause;
  }
}

function digestOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** What the file holds there; shorter where it ends. */
function readAt(descriptor: number, from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const more = readSync(descriptor, bytes, read, length - read, from + read);
    if (more === 0) return bytes.subarray(0, read);
    read += more;
  }
  return bytes;
}

function foreign(start: Uint8Array): BackupError {
  const newer = sameBytes(start.subarray(0, magicStart.length), magicStart);
  return new BackupError(
    "BACKUP_FOREIGN",
    newer ? "the backup is of another version of Tidegate" : "the file is no backup of a vault",
  );
}

function cut(): BackupError {
  return new BackupError("BACKUP_CUT", "the backup is cut short", { hint: "Take another copy of it, or an older backup." });
}

function damaged(cause?: unknown): BackupError {
  const hint = "Take another copy of it, or an older backup.";
  return new BackupError("BACKUP_DAMAGED", "the backup holds other bytes than were written", { hint, cause });
}
