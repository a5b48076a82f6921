import { createHash } from "node:crypto";
import { closeSync, constants, openSync, readSync } from "node:fs";

/** Direct reads want memory that begins at a block: that of WebAssembly begins at a page, and nothing else here can promise it. */
const directBytes = 1_048_576;
const pageBytes = 65_536;
/** Blocks of a medium: a direct read has a multiple of it. */
const blockBytes = 4_096;

/** The types of Node know the namespace, not the constructor. */
declare const WebAssembly: { readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer } };

/** SHA-256 of a file read past the machine's own memory of it, where the file system can do that. */
export interface ReadBack {
  readonly hash: Uint8Array;
  /** False where the bytes may come from the machine's memory and not from the medium. */
  readonly direct: boolean;
}

/** Reads `length` bytes of a file, and the one that must not follow. Throws what the file system throws. */
export function readBack(path: string, length: number): ReadBack {
  const { O_DIRECT, O_NOFOLLOW, O_RDONLY } = constants;
  const direct = openOrNull(path, O_RDONLY | O_NOFOLLOW | O_DIRECT);
  if (direct !== null) {
    try {
      return { hash: hashOf(direct, length), direct: true };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
    } finally {
      closeSync(direct);
    }
  }
  const plain = openSync(path, O_RDONLY | O_NOFOLLOW);
  try {
    return { hash: hashOf(plain, length), direct: false };
  } finally {
    closeSync(plain);
  }
}

function openOrNull(path: string, flags: number): number | null {
  try {
    return openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EINVAL") return null;
    throw error;
  }
}

let memory: Uint8Array | null = null;

function hashOf(descriptor: number, length: number): Uint8Array {
  memory ??= new Uint8Array(new WebAssembly.Memory({ initial: directBytes / pageBytes }).buffer);
  const hash = createHash("sha256");
  for (let at = 0; at <= length; ) {
    const wanted = Math.min(directBytes, Math.ceil((length + 1 - at) / blockBytes) * blockBytes);
    const read = readSync(descriptor, memory, 0, wanted, at);
    hash.update(memory.subarray(0, read));
    // The end of the file; one that is longer has another hash.
    if (read < wanted) break;
    at += read;
  }
  return new Uint8Array(hash.digest());
}
