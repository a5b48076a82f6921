import { openStick, type WriterFolder } from "../../agent/media/index.ts";
import type { Failpoint } from "../../agent/seams/index.ts";
import { TidegateError, toHex } from "../../protocol/base/index.ts";
import { type MediaFile, mediaFileName } from "../../protocol/media/index.ts";
import type { CustodyInput, NamedFile, NodeCall } from "./node-call.ts";

export interface ReadMediaOptions {
  readonly call: NodeCall;
  readonly mount: string;
  readonly custody: CustodyInput;
  /** Told after each file that was looked at or handed over. */
  onFile?(done: number, total: number): void;
  readonly failpoint?: Failpoint;
}

/** What became of one writer's folder. */
export interface FolderRead {
  readonly writer: string;
  /** Why nothing of it was taken; null where the node judged its items. */
  readonly refused: { readonly code: string; readonly message: string } | null;
  readonly writeId: string | null;
  readonly applied: number;
  readonly known: number;
  readonly held: number;
  /** Items that the node refused. */
  readonly refusals: readonly { readonly file: string; readonly code: string }[];
  /** Items for others. */
  readonly others: number;
}

/**
 * Hands what a medium holds for a running node to it, folder by folder; one that is refused keeps no other back. Throws MEDIA_* where the
 * medium as a whole is refused, and what the node throws where its disk fails or it is gone.
 */
export async function readMedia(options: ReadMediaOptions): Promise<FolderRead[]> {
  const stick = openStick(options.mount, options.failpoint);
  try {
    const read: FolderRead[] = [];
    for (const writer of stick.writers) {
      try {
        const folder = stick.open(writer);
        try {
          const result = await readFolder(options, folder, writer);
          if (result !== null) read.push(result);
        } finally {
          folder.close();
        }
      } catch (error) {
        if (!(error instanceof TidegateError) || error.fault === "environment") throw error;
        read.push({ ...nothing, writer, refused: { code: error.code, message: error.message } });
      }
    }
    return read;
  } finally {
    stick.close();
  }
}

const nothing = { writeId: null, applied: 0, known: 0, held: 0, refusals: [], others: 0 } as const;

interface Begun {
  readonly session: string | null;
  readonly wanted: readonly NamedFile[];
}

interface Taken {
  readonly outcome: string;
  readonly code: string | null;
}

/** Null for the node's own folder. */
async function readFolder(
  { call, custody, onFile }: ReadMediaOptions,
  folder: WriterFolder,
  writer: string,
): Promise<FolderRead | null> {
  const { manifest } = folder;
  const begun = (await call("read", { custody, manifest: base64(folder.bytes) })) as Begun;
  const { session } = begun;
  if (session === null) return null;
  const refusals: { file: string; code: string }[] = [];
  let handed = 0;
  try {
    for (let wanted = begun.wanted; wanted.length > 0; ) {
      for (const file of inOrder(folder, wanted)) {
        const taken = (await call("read/item", { session, carrier: base64(folder.read(file)) })) as Taken;
        if (taken.outcome === "refused") refusals.push({ file: mediaFileName(file), code: taken.code ?? "" });
        handed += 1;
        onFile?.(handed, manifest.files.length);
      }
      // A gateway learns from its own bundles for whom else it carries.
      wanted = (await call("read/more", { session })) as NamedFile[];
    }
  } catch (error) {
    const code = error instanceof TidegateError ? error.code : "BUG";
    await call("read/end", { session, code }).catch(() => {});
    throw error;
  }
  const counts = (await call("read/end", { session, code: null })) as { applied: number; known: number; held: number };
  const { applied, known, held } = counts;
  const others = manifest.files.length - handed;
  return { writer, refused: null, writeId: toHex(manifest.writeId), applied, known, held, refusals, others };
}

/** The wanted files, those of a stream in its order: what came too early would have to be held. */
function inOrder(folder: WriterFolder, wanted: readonly NamedFile[]): MediaFile[] {
  const names = new Set(wanted.map(({ id }) => id));
  const place = (file: MediaFile) => folder.header(file) ?? { epoch: 0, seq: 0 };
  return folder.manifest.files
    .filter(({ id }) => names.has(toHex(id)))
    .map((file) => ({ file, ...place(file) }))
    .sort((a, b) => a.epoch - b.epoch || a.seq - b.seq)
    .map(({ file }) => file);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
