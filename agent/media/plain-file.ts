import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import type { Failpoint } from "../seams/index.ts";
import { MediaError } from "./errors.ts";
import { mediaChunkBytes } from "./limits.ts";
import { attempt, type PinnedFolder } from "./pinned-folder.ts";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

export interface PlainFileOptions {
  /** Most bytes that it may have. */
  readonly max: number;
  /** Name `media.reading` after each chunk. */
  readonly failpoint?: Failpoint | undefined;
}

/**
 * Reads a plain file whole. What it is, and how large, is known before it is opened and again afterwards; nothing is waited for. Throws
 * MEDIA_INCOMPLETE where it is missing, MEDIA_LINK, MEDIA_NOT_PLAIN, MEDIA_TOO_LARGE, MEDIA_CHANGED, MEDIA_IO.
 */
export function readPlainFile(folder: PinnedFolder, name: string, { max, failpoint }: PlainFileOptions): Uint8Array {
  const what = `${folder.name}/${name}`;
  const path = folder.path(name);
  return attempt(what, () => {
    const seen = lstatSync(path, { bigint: true });
    requirePlain(seen, what);
    if (seen.size > BigInt(max)) throw new MediaError("MEDIA_TOO_LARGE", `${what} has ${seen.size} bytes, at most ${max}`);
    const descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      requireSame(seen, fstatSync(descriptor, { bigint: true }), what);
      const bytes = readWhole(descriptor, Number(seen.size), what, failpoint);
      requireSame(seen, fstatSync(descriptor, { bigint: true }), what);
      return bytes;
    } finally {
      closeSync(descriptor);
    }
  });
}

function readWhole(descriptor: number, size: number, what: string, failpoint: Failpoint | undefined): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const read = readSync(descriptor, bytes, at, Math.min(mediaChunkBytes, size - at), at);
    failpoint?.("media.reading");
    if (read === 0) throw changed(what);
    at += read;
  }
  if (readSync(descriptor, new Uint8Array(1), 0, 1, size) !== 0) throw changed(what);
  return bytes;
}

function requirePlain(status: BigIntStats, what: string): void {
  if (status.isSymbolicLink()) throw new MediaError("MEDIA_LINK", `${what} is a link`);
  if (!status.isFile()) throw new MediaError("MEDIA_NOT_PLAIN", `${what} is no plain file`);
}

function requireSame(before: BigIntStats, now: BigIntStats, what: string): void {
  const same = (["dev", "ino", "size", "mtimeNs", "mode"] as const).every((field) => before[field] === now[field]);
  if (!same) throw changed(what);
}

function changed(what: string): MediaError {
  return new MediaError("MEDIA_CHANGED", `${what} changed while it was read`);
}
