import { AuditError } from "./errors.ts";
import { tileWidth } from "./limits.ts";

/** Place of a tile by C2SP tlog-tiles. `level` is "entries" for the bundles of leaves; `width` is 256 where the tile is full. */
export interface TilePlace {
  readonly level: number | "entries";
  readonly index: number;
  readonly width: number;
}

const pathPattern = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** `tile/<L>/<N>[.p/<W>]`: index 1234067 of level 0 is `tile/0/x001/x234/067`. */
export function tilePath(place: TilePlace): string {
  const digits = String(place.index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = padded.match(/.{3}/g) ?? [];
  const index = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${place.level}/${index}${place.width === tileWidth ? "" : `.p/${place.width}`}`;
}

/** Inverse of {@link tilePath}; throws AUDIT_TILE_PATH for every other spelling. */
export function parseTilePath(path: string): TilePlace {
  const [, level, groups, width] = pathPattern.exec(path) ?? [];
  if (level === undefined || groups === undefined) throw refused(path);
  const place: TilePlace = {
    level: level === "entries" ? level : Number(level),
    index: Number(groups.replace(/[x/]/g, "")),
    width: width === undefined ? tileWidth : Number(width),
  };
  if ((place.level !== "entries" && place.level > 63) || !Number.isSafeInteger(place.index)) throw refused(path);
  if (place.width > (width === undefined ? tileWidth : tileWidth - 1) || tilePath(place) !== path) throw refused(path);
  return place;
}

/** Every tile of a tree of `size`, hash tiles by level and then the entry bundles; the last of each level may be partial. */
export function tilesOf(size: number): TilePlace[] {
  const places: TilePlace[] = [];
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / tileWidth))
    row(places, level, hashes);
  row(places, "entries", size);
  return places;
}

function row(places: TilePlace[], level: TilePlace["level"], hashes: number): void {
  const full = Math.floor(hashes / tileWidth);
  for (let index = 0; index < full; index += 1) places.push({ level, index, width: tileWidth });
  if (hashes % tileWidth > 0) places.push({ level, index: full, width: hashes % tileWidth });
}

function refused(path: string): AuditError {
  return new AuditError("AUDIT_TILE_PATH", `${path.slice(0, 80)} is not the path of a tile`);
}
