import { randomFillSync } from "node:crypto";
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { syncFolder } from "../data-folder/index.ts";

/** Overwrites a file where it lies, syncs, empties and removes it; one that is not there is gone already. Follows no link. */
export function eraseFile(path: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  try {
    const noise = new Uint8Array(fstatSync(descriptor).size);
    randomFillSync(noise);
    for (let written = 0; written < noise.length; )
      written += writeSync(descriptor, noise, written, noise.length - written, written);
    fsyncSync(descriptor);
    ftruncateSync(descriptor);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  rmSync(path);
  syncFolder(dirname(path));
}
