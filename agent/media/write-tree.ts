import { lstatSync } from "node:fs";
import { sameBytes, toHex, utf8 } from "../../protocol/base/index.ts";
import { removeFile } from "../data-folder/index.ts";
import type { Failpoint } from "../seams/index.ts";
import { MediaError } from "./errors.ts";
import { attempt, PinnedFolder } from "./pinned-folder.ts";
import { readBack } from "./read-back.ts";
import { mountFolder } from "./read-stick.ts";
import { type PlainFile, writePlainFile } from "./write-plain-file.ts";

/** A file of a tree: its path below the tree's folder, with slashes. */
export interface TreeFile extends PlainFile {
  readonly path: string;
}

/** What lies on the medium and was read back. */
export interface WrittenTree {
  readonly files: readonly TreeFile[];
  readonly bytes: number;
  readonly readBackFrom: "medium" | "cache";
}

/** Name of the list that makes a tree whole: a line `<SHA-256 in hexadecimal>  <path>` for each file, as sha256sum reads it. */
export const treeManifest = "MANIFEST";

/**
 * Writes a tree of plain files into a new folder of a medium: each file under a temporary name, synced and renamed; the list of them
 * last; then all of it is read back and compared.
 */
export class TreeWriter {
  readonly #folder: PinnedFolder;
  readonly #failpoint: Failpoint;
  readonly #files: TreeFile[] = [];
  #open: { readonly path: string; readonly folder: PinnedFolder } | null = null;

  /** Makes the last of `folders` below the mount, which must not be there yet. Throws MEDIA_EXISTS and what a write throws. */
  constructor(mount: string, folders: readonly string[], failpoint: Failpoint = () => {}) {
    this.#failpoint = failpoint;
    let folder = PinnedFolder.open(mountFolder(mount), mount);
    for (const [at, name] of folders.entries()) {
      const inside = folder;
      try {
        if (at === folders.length - 1 && lstatSync(inside.path(name), { throwIfNoEntry: false }) !== undefined)
          throw new MediaError("MEDIA_EXISTS", `${inside.name}/${name} is there already`, {
            hint: "Name another medium, or move that folder away: what was written once is never written over.",
          });
        folder = inside.makeFolder(name);
      } finally {
        inside.close();
      }
    }
    this.#folder = folder;
  }

  /** Writes one file from chunks. Throws MEDIA_* and what `chunks` throws. */
  write(path: string, chunks: Iterable<Uint8Array>): void {
    const cut = path.lastIndexOf("/");
    const folder = this.#folderAt(cut < 0 ? "" : path.slice(0, cut));
    this.#files.push({ path, ...writePlainFile(folder, path.slice(cut + 1), chunks, this.#failpoint) });
  }

  /** Writes the list, reads everything back and compares. `onFile` is told after each. Throws MEDIA_READ_BACK. */
  finish(onFile: (done: number, total: number) => void): WrittenTree {
    this.#leave();
    const lines = this.#files.map(({ path, hash }) => `${toHex(hash)}  ${path}\n`).join("");
    const manifest = { path: treeManifest, ...writePlainFile(this.#folder, treeManifest, [utf8(lines)], this.#failpoint) };
    this.#folder.sync();
    const all = [...this.#files, manifest];
    let from: WrittenTree["readBackFrom"] = "medium";
    for (const [at, { path, length, hash }] of all.entries()) {
      const read = attempt(`${this.#folder.name}/${path}`, () => readBack(this.#folder.path(path), length));
      if (!sameBytes(read.hash, hash)) {
        attempt(treeManifest, () => removeFile(this.#folder.path(treeManifest)));
        throw new MediaError("MEDIA_READ_BACK", `${this.#folder.name}/${path} reads back as something else`, {
          hint: "The medium is damaged: take another one.",
        });
      }
      if (!read.direct) from = "cache";
      onFile(at + 1, all.length);
    }
    return { files: all, bytes: all.reduce((sum, { length }) => sum + length, 0), readBackFrom: from };
  }

  /** Idempotent enough for a `finally`; without {@link finish} no list stands, and the tree is not whole. */
  close(): void {
    this.#leave();
    this.#folder.close();
  }

  /** Files come folder by folder: the one before is synced when the next begins. */
  #folderAt(path: string): PinnedFolder {
    if (this.#open?.path === path) return this.#open.folder;
    this.#leave();
    let folder = this.#folder;
    for (const name of path === "" ? [] : path.split("/")) {
      const inside = folder;
      folder = inside.makeFolder(name);
      if (inside !== this.#folder) inside.close();
    }
    this.#open = { path, folder };
    return folder;
  }

  #leave(): void {
    if (this.#open === null) return;
    const { folder } = this.#open;
    this.#open = null;
    folder.sync();
    if (folder !== this.#folder) folder.close();
  }
}
