import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  decodeCheckpoint,
  encodeEntryBundle,
  hashLeaf,
  hashLength,
  type TilePlace,
  tilePath,
  tilesBetween,
  tileWidth,
} from "../../protocol/audit/index.ts";
import { concat, encodeTcbor, sameBytes } from "../../protocol/base/index.ts";
import type { ArchiveState } from "./archive-state.ts";
import { archivedKeyLines, isArchived, removeArchivedBundles } from "./mirror-archive.ts";

/** Folders of other logs that are kept beside ours; more of them is an attack on the disk, and the mirror then stays behind. */
const maxOtherFolders = 16;

type Awaitable<T> = T | Promise<T>;

/** Where the mirror reads the log; synchronous for gateway and edge, asynchronous for the vault. */
export interface MirrorSource {
  /** The newest checkpoint, or null before the first. */
  checkpoint(): Awaitable<Uint8Array | null>;
  /** The final checkpoint of an epoch; null where it has not ended. */
  final(epoch: number): Awaitable<Uint8Array | null>;
  leaves(from: number, limit: number): Awaitable<Uint8Array[]>;
  tile(level: number, index: number): Awaitable<Uint8Array | null>;
  root(size: number): Awaitable<Uint8Array>;
  /** What of the log lies on media only. */
  archive(): Awaitable<ArchiveState>;
  /** The leaf that named the key of an epoch, where it is such an entry; null else. */
  succession(epoch: number): Awaitable<Uint8Array | null>;
  /** The node's member statement (an envelope) and the chain of roots that vouches for it, oldest first; null before the join. */
  statements(): Awaitable<{ readonly member: Uint8Array; readonly roots: readonly Uint8Array[] } | null>;
}

export interface MirrorOptions {
  /** `<data>/audit/<serial>`; made where it is missing. */
  readonly folder: string;
  readonly source: MirrorSource;
  /** Told of each failure; the next checkpoint tries again. */
  readonly onFailed: (cause: unknown) => void;
}

/** Names inside a log's folder that tlog-tiles does not define. */
export const logFolderNames = {
  checkpoint: "checkpoint",
  member: "member.cbor",
  roots: "roots.cbor",
  epochs: "epochs",
  /** In an export: the leaves once more as lines, and those of them that name epoch keys. */
  lines: "entries.jsonl",
  keys: "keys.jsonl",
  /** In an export of the vault's log: heads of other nodes' logs under its witness key. */
  cosigned: "cosigned",
} as const;

/** On a medium: the folder of all exports. In it a folder a node, in that a folder an export. */
export const exportsFolder = "TIDEGATE-AUDIT";

/**
 * Keeps a log as the plain files of C2SP tlog-tiles, readable without any key of the node. The store is the truth: files are
 * written after their checkpoint is durable, the checkpoint's own file last, and after a crash from where that file stands.
 */
export class AuditMirror {
  readonly #options: MirrorOptions;
  #running: Promise<void> | null = null;
  #again = false;
  /** Leaves in the folder; null until its checkpoint was read. */
  #size: number | null = null;
  /** Epochs whose final checkpoint is in the folder. */
  #finals = 0;
  /** Up to which entry what lies on media only was removed by this process. */
  #removed = 0;

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  /** The folder, and how many leaves its checkpoint covers; null until one is known. */
  get files(): { readonly folder: string; readonly size: number | null } {
    return { folder: this.#options.folder, size: this.#size };
  }

  /** Brings the folder up to the newest checkpoint, later; calls during a run are one more run. */
  update(): void {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Waits until the folder is up to date or has failed. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#write();
      } catch (cause) {
        this.#options.onFailed(cause);
      }
    }
  }

  async #write(): Promise<void> {
    const { source, folder } = this.#options;
    const note = await source.checkpoint();
    if (note === null) return;
    const { size } = decodeCheckpoint(note);
    this.#size ??= await this.#mirrored();
    await this.#writeStatements();
    const archive = await source.archive();
    if (size !== this.#size) await this.#grow(this.#size, { size, note, held: archive.held });
    // Only once the folder says, under a checkpoint, where they are.
    if (archive.leaf >= size || archive.held === this.#removed) return;
    await writeChanged(join(folder, logFolderNames.keys), await archivedKeyLines((epoch) => source.succession(epoch)));
    await removeArchivedBundles(folder, archive.held);
    this.#removed = archive.held;
  }

  async #grow(before: number, to: { readonly size: number; readonly note: Uint8Array; readonly held: number }): Promise<void> {
    const { folder } = this.#options;
    const places = tilesBetween(before, to.size).filter((place) => !isArchived(place, to.held));
    const touched = new Set<string>();
    for (const place of places) {
      const path = join(folder, tilePath(place));
      await writeSynced(path, await this.#contentOf(place));
      touched.add(dirname(path));
    }
    for (const each of touched) await syncFolder(each);
    await this.#writeFinals(to.size);
    await writeDurably(join(folder, logFolderNames.checkpoint), to.note);
    // Partial tiles of the checkpoint before serve nobody once a wider one is there.
    for (const place of tilesBetween(0, before).filter((old) => old.width < tileWidth)) {
      if (places.some((wider) => wider.level === place.level && wider.index === place.index))
        await rm(join(folder, tilePath(place)), { force: true });
    }
    this.#size = to.size;
  }

  /** How many leaves the folder holds under its checkpoint. A folder that is not of this log is put aside, never overwritten. */
  async #mirrored(): Promise<number> {
    const { folder, source } = this.#options;
    const bytes = await readFile(join(folder, logFolderNames.checkpoint)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (bytes === null) return 0;
    const newest = await source.checkpoint();
    try {
      const old = decodeCheckpoint(bytes);
      const held = newest === null ? 0 : decodeCheckpoint(newest).size;
      if (old.size <= held && sameBytes(old.root, await source.root(old.size))) return old.size;
    } catch (cause) {
      this.#options.onFailed(cause);
    }
    await this.#putAside();
    this.#finals = 0;
    this.#removed = 0;
    return 0;
  }

  async #putAside(): Promise<void> {
    const { folder } = this.#options;
    for (let copy = 1; copy <= maxOtherFolders; copy += 1) {
      try {
        return await rename(folder, `${folder}.other-${copy}`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY" || copy === maxOtherFolders) throw error;
      }
    }
  }

  /** Those that `size` leaves cover: an epoch may have ended since the checkpoint was read. */
  async #writeFinals(size: number): Promise<void> {
    const { source, folder } = this.#options;
    for (;;) {
      const final = await source.final(this.#finals);
      if (final === null || decodeCheckpoint(final).size > size) return;
      await writeChanged(join(folder, logFolderNames.epochs, `${this.#finals}`), final);
      this.#finals += 1;
    }
  }

  async #writeStatements(): Promise<void> {
    const statements = await this.#options.source.statements();
    if (statements === null) return;
    const { folder } = this.#options;
    await writeChanged(join(folder, logFolderNames.member), statements.member);
    await writeChanged(join(folder, logFolderNames.roots), encodeTcbor([...statements.roots]));
  }

  async #contentOf(place: TilePlace): Promise<Uint8Array> {
    const { source } = this.#options;
    const full = place.level === 0 && place.width === tileWidth ? await source.tile(0, place.index) : null;
    if (full !== null) return full;
    if (place.level === "entries" || place.level === 0) {
      const leaves = await source.leaves(place.index * tileWidth, place.width);
      if (leaves.length !== place.width) throw new Error(`${tilePath(place)} has ${leaves.length} entries in the store`);
      return place.level === 0 ? concat(...leaves.map(hashLeaf)) : encodeEntryBundle(leaves);
    }
    const tile = await source.tile(place.level, place.index);
    return (tile ?? new Uint8Array(0)).subarray(0, place.width * hashLength);
  }
}

async function writeChanged(path: string, bytes: Uint8Array): Promise<void> {
  const present = await readFile(path).catch(() => null);
  if (present === null || !sameBytes(present, bytes)) await writeDurably(path, bytes);
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await writeSynced(path, bytes);
  await syncFolder(dirname(path));
}

/** Temporary name, sync, rename; without blocking the event loop. The new name is durable once its folder is synced. */
async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
