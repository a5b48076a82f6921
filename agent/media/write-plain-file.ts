import { createHash } from "node:crypto";
import { closeSync, constants, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { removeFile } from "../data-folder/index.ts";
import type { Failpoint } from "../seams/index.ts";
import { mediaChunkBytes } from "./limits.ts";
import { attempt, type PinnedFolder } from "./pinned-folder.ts";

/** Ends the name of a file that is not whole yet. */
export const temporary = ".new";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** What was written: its length, bytes, and its SHA-256. */
export interface PlainFile {
  readonly length: number;
  readonly hash: Uint8Array;
}

/**
 * Writes a file under a temporary name, syncs and renames it. The new name is durable once its folder is synced. Names `media.writing`
 * before each chunk and the rename. Throws MEDIA_*, and what `chunks` throws.
 */
export function writePlainFile(
  folder: PinnedFolder,
  name: string,
  chunks: Iterable<Uint8Array>,
  failpoint: Failpoint,
): PlainFile {
  return attempt(`${folder.name}/${name}`, () => {
    const path = folder.path(`${name}${temporary}`);
    removeFile(path);
    const hash = createHash("sha256");
    let length = 0;
    const descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644);
    try {
      for (const bytes of chunks) {
        hash.update(bytes);
        length += bytes.length;
        for (let at = 0; at < bytes.length; ) {
          failpoint("media.writing");
          at += writeSync(descriptor, bytes, at, Math.min(mediaChunkBytes, bytes.length - at));
        }
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    failpoint("media.writing");
    renameSync(path, folder.path(name));
    return { length, hash: new Uint8Array(hash.digest()) };
  });
}
