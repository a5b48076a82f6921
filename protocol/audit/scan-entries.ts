import { scanLeaf, type ToldAction } from "./leaf-scan.ts";
import { maxLeafBytes, tileWidth } from "./limits.ts";
import { foldSubtree, hashLeafInto, hashLength } from "./tree-hash.ts";

/** What every leaf of a log must state; the serial is null where no checkpoint tells it. */
export interface LogOfLeaves {
  readonly node: string;
  readonly serial: number | null;
}

/** What one look at some entries finds out, in their order: all of plain bytes and numbers, so that another thread may look. */
export interface ScannedEntries {
  /** Leaf hashes, one after another; zeros for an entry that is too long to be a leaf. */
  readonly hashes: Uint8Array;
  /** For each entry its own claim of where it belongs; -1 where it is no leaf of the log. */
  readonly claims: Float64Array;
  /** Root of the tree over them where they are 256; null else. */
  readonly root: Uint8Array | null;
  /** Leaves of the log that are looked at as a whole, and how many entries stand before each. */
  readonly told: readonly { readonly at: number; readonly action: ToldAction; readonly leaf: Uint8Array }[];
}

/** Reads and hashes each of at most a few hundred entries once. */
export function scanEntries(entries: readonly Uint8Array[], log: LogOfLeaves): ScannedEntries {
  const hashes = Buffer.alloc(entries.length * hashLength);
  const claims = new Float64Array(entries.length);
  const told: { at: number; action: ToldAction; leaf: Uint8Array }[] = [];
  for (const [at, bytes] of entries.entries()) {
    // What is too long for a leaf has no leaf hash here; a hash that no entry can have keeps its place.
    if (bytes.length <= maxLeafBytes) hashLeafInto(hashes, at * hashLength, bytes);
    const leaf = scanLeaf(bytes);
    const isOurs = leaf !== null && leaf.node === log.node && leaf.log === (log.serial ?? leaf.log);
    claims[at] = isOurs ? leaf.index : -1;
    if (isOurs && leaf.told !== null) told.push({ at, action: leaf.told, leaf: new Uint8Array(bytes) });
  }
  return { hashes, claims, root: entries.length === tileWidth ? foldSubtree(hashes) : null, told };
}
