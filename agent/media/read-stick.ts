import { hash } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import { fromBase32, sameBytes, TidegateError } from "../../protocol/base/index.ts";
import { bundleKind, decodeHeader } from "../../protocol/bundle/index.ts";
import { decodeCarrier, decodeEnvelope } from "../../protocol/envelope/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import {
  type DecodedManifest,
  decodeManifest,
  ManifestError,
  type MediaFile,
  manifestName,
  mediaFileName,
  mediaFolder,
  mediaLimits,
  readmeName,
} from "../../protocol/media/index.ts";
import type { Failpoint } from "../seams/index.ts";
import { MediaError } from "./errors.ts";
import { writerFolderNames, writersFolderNames } from "./limits.ts";
import { attempt, PinnedFolder, refuseLookalikes } from "./pinned-folder.ts";
import { readPlainFile } from "./plain-file.ts";

/** A medium that nodes wrote to. */
export interface Stick {
  /** Ids of the nodes that have a folder here, as text, ascending. */
  readonly writers: readonly string[];
  /** Opens one's folder: its manifest is read, and every file of it looked at. Throws MEDIA_*, MANIFEST_*, ENVELOPE_*. */
  open(writer: string, onFile?: (bytes: number) => void): WriterFolder;
  close(): void;
}

/** A writer's folder that is whole: each file has the bytes that the manifest lists. Whose word the manifest is, is not judged here. */
export interface WriterFolder {
  readonly manifest: DecodedManifest;
  /** The `MANIFEST` file. */
  readonly bytes: Uint8Array;
  /** Reads a file, and compares it again. Throws MEDIA_*. */
  read(file: MediaFile): Uint8Array;
  /** What the file's signed header says; nothing is verified. */
  header(file: MediaFile): FileHeader | null;
  close(): void;
}

/** What the header of a bundle or report says in clear. */
export interface FileHeader {
  readonly epoch: number;
  readonly seq: number;
  readonly snapshot: boolean;
  /** Key id of the signer. */
  readonly signer: Uint8Array;
  /** Seconds since 1970; a report's lower end. */
  readonly issuedAtS: number;
  /** Nonces of the recipient that it answers. */
  readonly answers: readonly Uint8Array[];
}

/** The folder that a mount point is. Throws MEDIA_NOT_FOUND. */
export function mountFolder(mount: string): string {
  try {
    const path = realpathSync(mount);
    if (statSync(path).isDirectory()) return path;
  } catch (cause) {
    throw new MediaError("MEDIA_NOT_FOUND", `${mount} cannot be entered`, { cause, hint: "Is the medium mounted there?" });
  }
  throw new MediaError("MEDIA_NOT_FOUND", `${mount} is no folder`, { hint: "Name the folder that the medium is mounted on." });
}

/** Opens a medium: only what it is and which names it has is looked at. Throws MEDIA_*. */
export function openStick(mount: string, failpoint?: Failpoint): Stick {
  const root = PinnedFolder.open(mountFolder(mount), mount);
  try {
    const shared = sharedFolder(root, mount);
    try {
      const names = shared.names(writersFolderNames);
      refuseLookalikes(mediaFolder, names, (name) => name === readmeName || isNodeId(name));
      const writers = names.filter(isNodeId).sort();
      if (writers.length === 0) throw nothing(mount);
      return {
        writers,
        open: (writer, onFile) => openWriter(shared.folder(writer), { writer, failpoint, onFile }),
        close: () => shared.close(),
      };
    } catch (error) {
      shared.close();
      throw error;
    }
  } finally {
    root.close();
  }
}

function sharedFolder(root: PinnedFolder, mount: string): PinnedFolder {
  try {
    return root.folder(mediaFolder);
  } catch (error) {
    if (error instanceof MediaError && error.code === "MEDIA_INCOMPLETE") throw nothing(mount);
    throw error;
  }
}

function nothing(mount: string): MediaError {
  return new MediaError("MEDIA_EMPTY", `nothing in ${mount} was written by a node`, {
    hint: "Name the folder that the medium is mounted on; the node's folder TIDEGATE lies right in it.",
  });
}

interface Opening {
  readonly writer: string;
  readonly failpoint: Failpoint | undefined;
  readonly onFile: ((bytes: number) => void) | undefined;
}

function openWriter(folder: PinnedFolder, { writer, failpoint, onFile }: Opening): WriterFolder {
  try {
    const names = folder.names(writerFolderNames);
    // Whatever the manifest will say: the name of a file is an id in small letters, or this one.
    refuseLookalikes(folder.name, names, (name) => name === manifestName);
    const bytes = readPlainFile(folder, manifestName, { max: mediaLimits.manifestBytes, failpoint });
    const manifest = decodeManifest(bytes);
    if (nodeIdText(manifest.nodeId) !== writer)
      throw new ManifestError("MANIFEST_WRITER", `the manifest in ${folder.name} is of another node`);
    const listed = new Set(manifest.files.map(mediaFileName));
    refuseLookalikes(folder.name, names, (name) => listed.has(name));
    const read = (file: MediaFile) => readListed(folder, file, failpoint);
    const headers = new Map<MediaFile, FileHeader | null>();
    for (const file of manifest.files) {
      headers.set(file, headerOf(file, read(file)));
      onFile?.(file.length);
    }
    return { manifest, bytes, read, header: (file) => headers.get(file) ?? null, close: () => folder.close() };
  } catch (error) {
    folder.close();
    throw error;
  }
}

function readListed(folder: PinnedFolder, file: MediaFile, failpoint: Failpoint | undefined): Uint8Array {
  const name = mediaFileName(file);
  return attempt(`${folder.name}/${name}`, () => {
    const bytes = readPlainFile(folder, name, { max: file.length, failpoint });
    if (bytes.length < file.length)
      throw new MediaError("MEDIA_INCOMPLETE", `${folder.name}/${name} has ${bytes.length} of ${file.length} bytes`);
    if (!sameBytes(hash("sha256", bytes, "buffer"), file.hash))
      throw new MediaError("MEDIA_HASH", `${folder.name}/${name} is not the file that the manifest lists`);
    return bytes;
  });
}

/** Null for what has no such header, or none that can be read: whoever takes the item judges it. */
function headerOf({ kind }: MediaFile, bytes: Uint8Array): FileHeader | null {
  if (kind !== "bundle" && kind !== "report") return null;
  try {
    const header = decodeHeader(decodeEnvelope(decodeCarrier(bytes).envelope).payload);
    const { vaultEpoch: epoch, seq, signer, issuedAt, answers } = header;
    return { epoch, seq, signer, snapshot: header.kind === bundleKind.snapshot, issuedAtS: issuedAt.lo, answers };
  } catch (error) {
    if (error instanceof TidegateError) return null;
    throw error;
  }
}

function isNodeId(name: string): boolean {
  return name.length === 32 && name === name.toLowerCase() && fromBase32(name)?.length === 20;
}
