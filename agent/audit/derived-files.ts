import { type Finding, tilePath, tileWidth, type Verification } from "../../protocol/audit/index.ts";
import { sameBytes } from "../../protocol/base/index.ts";
import type { LogFolder } from "./log-folder.ts";
import { logFolderNames } from "./mirror.ts";

/** Hash tiles that differ from the entries although the entries are as sealed: other people's tools would fail on them. */
export function alteredTiles(folder: LogFolder, verification: Verification): Finding[] {
  const findings: Finding[] = [];
  for (const { level, index, width } of folder.tiles) {
    const place = { level: Number(level), index, width };
    const expected = verification.tile(place);
    if (expected !== null && sameBytes(folder.readTile(place), expected)) continue;
    findings.push({
      code: "EDIT",
      index: index * tileWidth ** (place.level + 1),
      says: `${tilePath(place)} does not hold the hashes of the entries, which are as sealed`,
    });
  }
  return findings;
}

/** Lines for people and `grep` that say something else than the entries, from `index` on. */
export function unlikeLines(index: number | null): Finding[] {
  if (index === null) return [];
  const says = `from entry ${index} on ${logFolderNames.lines} does not hold what the entry bundles hold`;
  return [{ code: "EDIT", index, says }];
}
