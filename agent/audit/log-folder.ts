import type { Dirent } from "node:fs";
import { join, relative } from "node:path";
import { AuditError, parseTilePath, type TilePlace, tilePath, tileWidth } from "../../protocol/audit/index.ts";
import { concat } from "../../protocol/base/index.ts";
import { maxTileBytes, namesIn, readBounded, readOptional, unreadable } from "./bounded-file.ts";
import { copyNameOf } from "./copy-name.ts";
import { linesOf } from "./entry-lines.ts";
import { AuditLogError } from "./errors.ts";
import { checkpointsFor, newestIn } from "./log-checkpoints.ts";
import { exportsFolder, logFolderNames } from "./mirror.ts";

/** Largest statement file, bytes: a root chain of a hundred versions. */
export const maxStatementBytes = 8 * 1024 * 1024;

/** A log in plain files, as the mirror writes it. Nothing in it is believed yet. */
export interface LogFolder {
  readonly path: string;
  /** Index of the first entry that is here: 0, or that of the bundle in which the auditor's copy begins. */
  readonly from: number;
  /** Index of the first entry that there is in this folder or among the archives: above `from` where a beginning is missing. */
  readonly begins: number;
  /** How many entries the names of the entry bundles promise, counted from 0. */
  readonly promised: number;
  /** Files of the entry bundles in their order, those of archives first; see `readEntries`. */
  readonly bundles: readonly string[];
  /** How many of them are from archives. */
  readonly archived: number;
  /** Sizes of the newest checkpoints of the archives. */
  readonly archivedSizes: readonly number[];
  /** The `audit.epoch` leaves of entries before `from`. */
  readonly keyLeaves: readonly Uint8Array[];
  /** The file with the entries of the folder's own bundles once more, as lines; need not be there. And the index of the first of them. */
  readonly lines: { readonly path: string; readonly from: number };
  /** Level-0 hash tiles up to the first that is missing, one after another; read when asked for. */
  readonly hashes: () => Uint8Array;
  /** The newest checkpoint and the final ones of ended epochs; those that are there. */
  readonly checkpoints: readonly Uint8Array[];
  /** Hash tiles that are there. */
  readonly tiles: readonly TilePlace[];
  readTile(place: TilePlace): Uint8Array;
  readonly member: Uint8Array | null;
  readonly roots: Uint8Array | null;
}

/**
 * The log folders at `path`: the folder itself, its `audit/`, or the logs by serial in either. Throws AUDIT_FOLDER_UNREADABLE where
 * there is none: a folder without a log must never pass for a log without findings.
 */
export function findLogFolders(path: string): string[] {
  for (const candidate of [path, join(path, "audit"), join(path, exportsFolder)]) {
    const names = namesIn(candidate, candidate === path);
    if (names.some((entry) => entry.name === logFolderNames.checkpoint || entry.name === "tile")) return [candidate];
    const exports = exportsIn(candidate, names);
    if (exports.length > 0) return exports;
    const serials = names
      .filter((entry) => entry.isDirectory() && /^(0|[1-9][0-9]{0,15})$/.test(entry.name))
      .map((entry) => Number(entry.name));
    if (serials.length > 0) return serials.sort((a, b) => a - b).map((serial) => join(candidate, String(serial)));
  }
  throw unreadable(`${path} holds no audit log`);
}

/** The exports in a node's folder of them, or in the folder of all nodes. */
function exportsIn(path: string, names: readonly Dirent[]): string[] {
  const folders = names.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const exports = folders
    .filter((name) => copyNameOf(name) !== null)
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (exports.length > 0) return exports.map((name) => join(path, name));
  const nodes = folders.filter((name) => /^[a-z2-7]{32}$/.test(name)).sort();
  return nodes.flatMap((name) => exportsIn(join(path, name), namesIn(join(path, name), true)));
}

/** Where entries begin, and where those are that a folder lacks. */
export interface CopyRange {
  /** The copy holds nothing before this entry; 0 unless it is given. */
  readonly since?: number;
  /** Folders of the same log on media that hold entries from before it begins; none unless they are given. */
  readonly archives?: readonly string[];
}

/** A bundle that a folder holds. */
interface FoundBundle {
  readonly folder: string;
  readonly place: TilePlace;
}

/**
 * Opens one log's folder; of a copy that holds nothing before `since`, from its bundle on. Throws AUDIT_FOLDER_UNREADABLE where it
 * cannot be read, AUDIT_FOLDER_EMPTY where it holds no entry.
 */
export function openLogFolder(path: string, { since = 0, archives = [] }: CopyRange = {}): LogFolder {
  const places = placesIn(path);
  const first = Math.floor(since / tileWidth);
  const bundles = widest(places.filter((place) => place.level === "entries" && place.index >= first));
  const last = bundles.at(-1);
  if (last === undefined) throw emptied(path, first * tileWidth);
  const readTile = (place: TilePlace) => readBounded(join(path, ...pathOf(place)), maxTileBytes);
  const own = bundles[0]?.index ?? first;
  const archived = bundlesBefore(own, archives).filter(({ place }) => place.index >= first);
  const level0 = widest(places.filter((place) => place.level === 0));
  const whole = level0.findIndex((place, at) => place.index !== at);
  const from = first * tileWidth;
  return {
    path,
    from,
    begins: Math.min(own, archived[0]?.place.index ?? own) * tileWidth,
    promised: last.index * tileWidth + last.width,
    bundles: [...archived, ...bundles.map((place) => ({ folder: path, place }))].map(fileOf),
    archived: archived.length,
    keyLeaves: linesOf(readOptional(join(path, logFolderNames.keys), maxStatementBytes) ?? new Uint8Array(0)),
    lines: { path: join(path, logFolderNames.lines), from: own * tileWidth },
    hashes: () => concat(...level0.slice(0, whole < 0 ? level0.length : whole).map(readTile)),
    checkpoints: checkpointsFor(path, archives),
    archivedSizes: archives.map((archive) => newestIn(archive)?.size ?? null).filter((size) => size !== null),
    tiles: widest(places.filter((place) => place.level !== "entries")),
    readTile,
    member: readOptional(join(path, logFolderNames.member), maxStatementBytes),
    roots: readOptional(join(path, logFolderNames.roots), maxStatementBytes),
  };
}

/** Nothing can be said of a log without entries; that must never read as if nothing was wrong with it. */
function emptied(path: string, from: number): AuditLogError {
  const size = newestIn(path)?.size ?? 0;
  const told = size === 0 ? "" : `, though its checkpoint says that the log has ${size}`;
  const what = from === 0 ? "no entry at all" : `no entry from ${from} on`;
  return new AuditLogError("AUDIT_FOLDER_EMPTY", `NOTHING WAS VERIFIED: ${path} holds ${what}${told}`, {
    hint:
      from === 0
        ? "This is not OK: the log is gone from this folder. Take another copy; where it is the node's own folder, keep it as evidence."
        : "This is not OK. Give --since only for an export that was made with it, and name the entry where that export begins.",
  });
}

/** Full bundles of the archives before the one at `end`, each from the first archive that has it. */
function bundlesBefore(end: number, archives: readonly string[]): FoundBundle[] {
  const found = new Map<number, FoundBundle>();
  for (const folder of archives) {
    for (const place of placesIn(folder)) {
      const wanted = place.level === "entries" && place.width === tileWidth && place.index < end;
      if (wanted && !found.has(place.index)) found.set(place.index, { folder, place });
    }
  }
  return [...found.values()].sort((a, b) => a.place.index - b.place.index);
}

function fileOf({ folder, place }: FoundBundle): string {
  return join(folder, ...pathOf(place));
}

/** Every tile below `tile/`, by name; other files there are nobody's business. */
function placesIn(path: string): TilePlace[] {
  const places: TilePlace[] = [];
  const walk = (folder: string): void => {
    for (const entry of namesIn(folder, false)) {
      const full = join(folder, entry.name);
      if (entry.isDirectory()) walk(full);
      else if (entry.isFile()) {
        const place = placeOrNull(relative(path, full).replaceAll("\\", "/"));
        if (place !== null) places.push(place);
      }
    }
  };
  walk(join(path, "tile"));
  return places;
}

/** For each level and index the widest tile: older partial ones may lie beside it. By level, then index. */
function widest(places: readonly TilePlace[]): TilePlace[] {
  const best = new Map<string, TilePlace>();
  for (const place of places) {
    const key = `${place.level}/${place.index}`;
    if (place.width > (best.get(key)?.width ?? 0)) best.set(key, place);
  }
  return [...best.values()].sort((a, b) => Number(a.level) - Number(b.level) || a.index - b.index);
}

function placeOrNull(path: string): TilePlace | null {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (error instanceof AuditError) return null;
    throw error;
  }
}

function pathOf(place: TilePlace): string[] {
  return tilePath(place).split("/");
}
