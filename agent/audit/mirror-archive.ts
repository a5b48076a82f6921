import { readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { AuditError, parseTilePath, type TilePlace, tileWidth } from "../../protocol/audit/index.ts";
import { concat } from "../../protocol/base/index.ts";

/** Where the leaf stands that named the key of an epoch, where it is archived; null else. */
type Succession = (epoch: number) => Uint8Array | null | Promise<Uint8Array | null>;

/** True for an entry bundle that lies on media only. */
export function isArchived({ level, index }: TilePlace, held: number): boolean {
  return level === "entries" && (index + 1) * tileWidth <= held;
}

/** Lines of the leaves that name epoch keys and lie on media only: without them nobody could follow the keys of what is here. */
export async function archivedKeyLines(succession: Succession): Promise<Uint8Array> {
  const lines: Uint8Array[] = [];
  for (let epoch = 1; ; epoch += 1) {
    const leaf = await succession(epoch);
    if (leaf === null) return concat(...lines);
    lines.push(leaf, Uint8Array.of(10));
  }
}

/** Removes the files of entry bundles that lie on media only. */
export async function removeArchivedBundles(folder: string, held: number): Promise<void> {
  const entries = await readdir(join(folder, "tile", "entries"), { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const place = entry.isFile() ? placeOrNull(relative(folder, path)) : null;
    if (place !== null && isArchived(place, held)) await rm(path, { force: true });
  }
}

function placeOrNull(path: string): TilePlace | null {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (error instanceof AuditError) return null;
    throw error;
  }
}
