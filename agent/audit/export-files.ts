import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  decodeCheckpoint,
  decodeEntryBundle,
  encodeEntryBundle,
  hashLength,
  maxNoteBytes,
  type TilePlace,
  tilePath,
  tilesBetween,
  tileWidth,
} from "../../protocol/audit/index.ts";
import { maxTileBytes, readBounded, readOptional } from "./bounded-file.ts";
import { linesOf as linesBeside } from "./entry-lines.ts";
import { AuditLogError } from "./errors.ts";
import { maxStatementBytes } from "./log-folder.ts";
import { logFolderNames } from "./mirror.ts";

/** A file of an export, as it is written. */
export interface ExportedFile {
  readonly path: string;
  readonly chunks: Iterable<Uint8Array>;
}

export interface LogToExport {
  /** The log's plain files in the node's data folder, which goes on growing. */
  readonly folder: string;
  /** First entry, the first of a bundle. */
  readonly from: number;
  /** The newest checkpoint as it was signed, and how many entries it covers. */
  readonly checkpoint: Uint8Array;
  readonly size: number;
}

const newline = Uint8Array.of(10);

/**
 * The files of a log as of its checkpoint, that one last. `onEntries` is told of each bundle's leaves as they are written as lines. Throws
 * AUDIT_FOLDER_UNREADABLE and AUDIT_TILE_MALFORMED.
 */
export function* exportedFiles(log: LogToExport, onEntries: (leaves: readonly Uint8Array[]) => void): Generator<ExportedFile> {
  const tiles = new TilesOf(log.folder, log.size);
  const entries = tiles.places.filter((place) => place.level === "entries" && place.index * tileWidth >= log.from);
  const hashes = tiles.places.filter((place) => place.level !== "entries");
  for (const place of [...entries, ...hashes]) yield { path: tilePath(place), chunks: [tiles.read(place)] };
  yield { path: logFolderNames.lines, chunks: linesOf(entries, tiles, onEntries) };
  const finals = finalsOf(log);
  for (const [epoch, note] of finals.entries()) yield { path: `${logFolderNames.epochs}/${epoch}`, chunks: [note] };
  yield { path: logFolderNames.keys, chunks: keyLines(log, finals, tiles) };
  for (const name of [logFolderNames.member, logFolderNames.roots]) {
    yield { path: name, chunks: [readBounded(join(log.folder, name), maxStatementBytes)] };
  }
  yield { path: logFolderNames.checkpoint, chunks: [log.checkpoint] };
}

function* linesOf(
  places: readonly TilePlace[],
  tiles: TilesOf,
  onEntries: (leaves: readonly Uint8Array[]) => void,
): Generator<Uint8Array> {
  for (const place of places) {
    const leaves = decodeEntryBundle(tiles.read(place));
    yield Buffer.concat(leaves.flatMap((leaf) => [leaf, newline]));
    onEntries(leaves);
  }
}

/** The leaves that follow the final checkpoints; those that the node holds no more stand as lines beside its log. */
function keyLines({ folder, from }: LogToExport, finals: readonly Uint8Array[], tiles: TilesOf): Uint8Array[] {
  const archived = linesBeside(readOptional(join(folder, logFolderNames.keys), maxStatementBytes) ?? new Uint8Array(0));
  return finals.flatMap((note, epoch) => {
    const { size } = decodeCheckpoint(note);
    const line = size < from ? archived[epoch] : undefined;
    return [line ?? tiles.leaf(size), newline];
  });
}

/** Final checkpoints of the epochs that ended within the exported entries, from epoch 0 on. */
function finalsOf({ folder, size }: LogToExport): Uint8Array[] {
  const finals: Uint8Array[] = [];
  for (;;) {
    const path = join(folder, logFolderNames.epochs, `${finals.length}`);
    if (!existsSync(path)) return finals;
    const note = readBounded(path, maxNoteBytes);
    if (decodeCheckpoint(note).size >= size) return finals;
    finals.push(note);
  }
}

/** The tiles of a log of one size, also after the node has put wider ones in their place. */
class TilesOf {
  readonly places: readonly TilePlace[];
  readonly #folder: string;
  readonly #partial: ReadonlyMap<string, Uint8Array>;

  constructor(folder: string, size: number) {
    this.#folder = folder;
    this.places = tilesBetween(0, size);
    // Full tiles stay for ever; of each level the partial one may be replaced at any time from now on.
    const partial = this.places.filter((place) => place.width < tileWidth);
    this.#partial = new Map(partial.map((place) => [tilePath(place), cut(this.#readAtLeast(place), place)]));
  }

  read(place: TilePlace): Uint8Array {
    return this.#partial.get(tilePath(place)) ?? readBounded(join(this.#folder, tilePath(place)), maxTileBytes);
  }

  leaf(index: number): Uint8Array {
    const place = this.places.find((each) => each.level === "entries" && each.index === Math.floor(index / tileWidth));
    const leaf = place === undefined ? undefined : decodeEntryBundle(this.read(place))[index % tileWidth];
    if (leaf === undefined) throw new AuditLogError("AUDIT_FOLDER_UNREADABLE", `entry ${index} is not in ${this.#folder}`);
    return leaf;
  }

  /** The tile of this width, or a wider one of its place. */
  #readAtLeast(place: TilePlace): Uint8Array {
    const full = join(this.#folder, tilePath({ ...place, width: tileWidth }));
    const widths = existsSync(`${full}.p`) ? readdirSync(`${full}.p`).map(Number) : [];
    const width = existsSync(full) ? tileWidth : Math.max(0, ...widths.filter((each) => each >= place.width));
    return readBounded(join(this.#folder, tilePath({ ...place, width: width === 0 ? place.width : width })), maxTileBytes);
  }
}

function cut(bytes: Uint8Array, place: TilePlace): Uint8Array {
  if (place.level !== "entries") return bytes.subarray(0, place.width * hashLength);
  return encodeEntryBundle(decodeEntryBundle(bytes).slice(0, place.width));
}
