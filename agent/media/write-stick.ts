import { hash } from "node:crypto";
import { lstatSync } from "node:fs";
import { sameBytes, utf8 } from "../../protocol/base/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import {
  type MediaFile,
  type MediaKind,
  manifestName,
  mediaFileName,
  mediaFolder,
  parseMediaFileName,
  readmeName,
} from "../../protocol/media/index.ts";
import { removeFile } from "../data-folder/index.ts";
import type { Failpoint } from "../seams/index.ts";
import { MediaError } from "./errors.ts";
import { writerFolderNames } from "./limits.ts";
import { attempt, PinnedFolder } from "./pinned-folder.ts";
import { readPlainFile } from "./plain-file.ts";
import { readBack } from "./read-back.ts";
import { mountFolder } from "./read-stick.ts";
import { readmeText } from "./readme.ts";
import { temporary, writePlainFile } from "./write-plain-file.ts";

/** An item that shall lie on the medium. */
export interface OutgoingItem {
  readonly kind: MediaKind;
  readonly id: Uint8Array;
  readonly recipient: Uint8Array;
}

export interface WriteFolderOptions {
  readonly mount: string;
  /** The writer. */
  readonly nodeId: Uint8Array;
  readonly items: readonly OutgoingItem[];
  /** The item's bytes; null where it need not be carried any more. */
  load(item: OutgoingItem): Promise<Uint8Array | null>;
  /** Signs the list: the bytes of `MANIFEST`. */
  seal(files: readonly MediaFile[]): Promise<Uint8Array>;
  /** Told after each step: written and read back count alike. */
  onStep?(done: number, total: number): void;
  /** Name `media.writing` before each chunk and each rename. */
  readonly failpoint?: Failpoint;
}

/** What lies on the medium and was read back. */
export interface Written {
  readonly files: readonly MediaFile[];
  /** Bytes of all files, the manifest's too. */
  readonly bytes: number;
  /** Where it was read back from: the medium itself, or at least in part the machine's memory. */
  readonly readBackFrom: "medium" | "cache";
}

/**
 * Writes a node's folder: each file under a temporary name, synced and renamed; then the folder is synced, then the manifest written in
 * the same way, then all of it read back and compared. What an earlier write left stays whole until the new manifest stands; then what
 * that one does not list is removed. Throws MEDIA_*, and what `load` and `seal` throw.
 */
export async function writeFolder(options: WriteFolderOptions): Promise<Written> {
  const { mount, nodeId, items, onStep, failpoint = () => {} } = options;
  const folder = openOwn(mount, nodeId);
  const total = 2 * items.length + 2;
  let done = 0;
  const step = () => onStep?.(++done, total);
  try {
    removeOwn(folder, (name) => name.endsWith(temporary));
    const files: MediaFile[] = [];
    for (const item of items) {
      const bytes = await options.load(item);
      if (bytes !== null) files.push(writeItem(folder, item, bytes, failpoint));
      step();
    }
    folder.sync();
    const manifest = await options.seal(files);
    writeFile(folder, manifestName, manifest, failpoint);
    folder.sync();
    step();
    const from = compareAll(folder, files, manifest, step);
    const listed = new Set([manifestName, ...files.map(mediaFileName)]);
    removeOwn(folder, (name) => !listed.has(name));
    folder.sync();
    return { files, bytes: files.reduce((sum, { length }) => sum + length, manifest.length), readBackFrom: from };
  } finally {
    folder.close();
  }
}

function openOwn(mount: string, nodeId: Uint8Array): PinnedFolder {
  const root = PinnedFolder.open(mountFolder(mount), mount);
  try {
    const shared = root.makeFolder(mediaFolder);
    try {
      if (lstatSync(shared.path(readmeName), { throwIfNoEntry: false }) === undefined) {
        writeFile(shared, readmeName, utf8(readmeText), () => {});
        shared.sync();
      }
      return shared.makeFolder(nodeIdText(nodeId));
    } finally {
      shared.close();
    }
  } finally {
    root.close();
  }
}

function writeItem(folder: PinnedFolder, item: OutgoingItem, bytes: Uint8Array, failpoint: Failpoint): MediaFile {
  const file: MediaFile = { ...pick(item), length: bytes.length, hash: new Uint8Array(hash("sha256", bytes, "buffer")) };
  // An item that an earlier write left there stays as it is, as long as it is the same.
  if (!isThere(folder, file)) writeFile(folder, mediaFileName(file), bytes, failpoint);
  return file;
}

function pick({ kind, id, recipient }: OutgoingItem): OutgoingItem {
  return { kind, id, recipient };
}

function isThere(folder: PinnedFolder, file: MediaFile): boolean {
  try {
    const bytes = readPlainFile(folder, mediaFileName(file), { max: file.length });
    return sameBytes(hash("sha256", bytes, "buffer"), file.hash);
  } catch (error) {
    if (error instanceof MediaError) return false;
    throw error;
  }
}

function writeFile(folder: PinnedFolder, name: string, bytes: Uint8Array, failpoint: Failpoint): void {
  writePlainFile(folder, name, [bytes], failpoint);
}

/** Compares everything with what was meant; a manifest over something else must not stay. */
function compareAll(
  folder: PinnedFolder,
  files: readonly MediaFile[],
  manifest: Uint8Array,
  step: () => void,
): "medium" | "cache" {
  let from: "medium" | "cache" = "medium";
  const wholeManifest = { length: manifest.length, hash: new Uint8Array(hash("sha256", manifest, "buffer")) };
  const all = [...files.map((file) => ({ name: mediaFileName(file), ...file })), { name: manifestName, ...wholeManifest }];
  for (const { name, length, hash: expected } of all) {
    const read = attempt(`${folder.name}/${name}`, () => readBack(folder.path(name), length));
    if (!sameBytes(read.hash, expected)) {
      attempt(manifestName, () => removeFile(folder.path(manifestName)));
      throw new MediaError("MEDIA_READ_BACK", `${folder.name}/${name} reads back as something else`, {
        hint: "The medium is damaged: take another one.",
      });
    }
    if (!read.direct) from = "cache";
    step();
  }
  return from;
}

/** Removes what a write of ours left; names that no write makes are somebody else's. */
function removeOwn(folder: PinnedFolder, isGone: (name: string) => boolean): void {
  for (const name of folder.names(writerFolderNames).filter(isGone)) {
    const plain = name.endsWith(temporary) ? name.slice(0, -temporary.length) : name;
    if (plain !== manifestName && parseMediaFileName(plain) === null) continue;
    attempt(`${folder.name}/${name}`, () => removeFile(folder.path(name)));
  }
}
