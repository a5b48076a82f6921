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

/** Tiles that a tree of `size` has and a tree of `before` leaves lacks: hash tiles by level, then entry bundles; the last of each level may be partial. */
export function tilesBetween(before: number, size: number): TilePlace[] {
  const places: TilePlace[] = [];
  for (let level = 0, span = 1; Math.floor(size / span) > 0; level += 1, span *= tileWidth) {
    addRow(places, level, Math.floor(before / span), Math.floor(size / span));
  }
  addRow(places, "entries", before, size);
  return places;
}

function addRow(places: TilePlace[], level: TilePlace["level"], before: number, hashes: number): void {
  for (let index = Math.floor(before / tileWidth); index * tileWidth < hashes; index += 1) {
    const width = Math.min(tileWidth, hashes - index * tileWidth);
    if (index * tileWidth + width > before) places.push({ level, index, width });
  }
}

function refused(path: string): AuditError {
  return new AuditError("AUDIT_TILE_PATH", `${path.slice(0, 80)} is not the path of a tile`);
}
