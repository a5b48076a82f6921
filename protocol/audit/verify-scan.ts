import { sameBytes } from "../base/index.ts";
import { HashList } from "./hash-list.ts";
import type { Leaf } from "./leaf.ts";
import { type ScannedLeaf, scanLeaf } from "./leaf-scan.ts";
import { maxLeafBytes } from "./limits.ts";
import { hashLeaf, hashLength } from "./tree-hash.ts";

/** What one pass over the entries finds out. */
export interface Scan {
  /** Hashes of the entries in the order of the file. */
  readonly entries: HashList;
  /** For each entry its own claim of where it belongs; -1 where it is no leaf of this log. */
  readonly claims: readonly number[];
  /** `audit.epoch` leaves by position, in the order of the file. */
  readonly successions: readonly { readonly index: number; readonly leaf: Leaf }[];
}

export interface ScanOptions {
  readonly leaves: Iterable<Uint8Array>;
  /** Sizes whose roots will be asked for. */
  readonly sizes: readonly number[];
  /** What every leaf must state; the serial is null where no checkpoint tells it. */
  readonly log: { readonly node: string; readonly serial: number | null };
  /** What stands for entries that the copy begins after; null where it begins at 0. */
  readonly before: EarlierEntries | null;
  readonly onProgress: (done: number) => void;
}

/** The beginning of a log as a copy holds it that begins later: hashes for the tree, and the leaves that name keys. */
export interface EarlierEntries {
  readonly count: number;
  /** Leaf hashes, one after another; at least `count`. */
  readonly hashes: Uint8Array;
  /** The `audit.epoch` leaves among them; only those that have the hash of their place count. */
  readonly successions: readonly Uint8Array[];
}

/** Entries between two reports of progress. */
const progressStep = 4096;

/** Reads and hashes every entry once. */
export function scanEntries(options: ScanOptions): Scan {
  const entries = new HashList(options.sizes);
  const claims: number[] = [];
  const successions: { index: number; leaf: Leaf }[] = [];
  const ours = (leaf: ScannedLeaf | null): leaf is ScannedLeaf =>
    leaf !== null && leaf.node === options.log.node && leaf.log === (options.log.serial ?? leaf.log);
  for (let index = 0; index < (options.before?.count ?? 0); index += 1) {
    entries.push(hashAt(options.before?.hashes ?? new Uint8Array(0), index));
    claims.push(index);
  }
  for (const bytes of options.before?.successions ?? []) {
    const leaf = scanLeaf(bytes);
    if (!ours(leaf) || leaf.action !== "audit.epoch" || leaf.index >= claims.length) continue;
    if (sameBytes(hashLeaf(bytes), entries.at(leaf.index))) successions.push({ index: leaf.index, leaf: leaf.whole() });
  }
  for (const bytes of options.leaves) {
    const position = claims.length;
    // What is too long for a leaf has no leaf hash here; a hash that no entry can have keeps its place.
    entries.push(bytes.length > maxLeafBytes ? new Uint8Array(hashLength) : hashLeaf(bytes));
    const leaf = scanLeaf(bytes);
    claims.push(ours(leaf) ? leaf.index : -1);
    if (ours(leaf) && leaf.action === "audit.epoch") successions.push({ index: position, leaf: leaf.whole() });
    if (claims.length % progressStep === 0) options.onProgress(claims.length);
  }
  return { entries, claims, successions };
}

/**
 * For each entry the index where it belongs, or -1 where it is not genuine: below `proven` the hashes in `stored` decide, above the
 * entry's own claim, where no index is claimed twice and none beyond the log by an entry that others follow.
 */
export function placesOf(scan: Scan, stored: HashList, proven: number): number[] {
  const seen = new SeenClaims(scan.claims.length);
  const lastBelow = scan.claims.findLastIndex((claim) => claim >= 0 && claim < scan.claims.length);
  return scan.claims.map((claim, position) => {
    if (claim < 0 || seen.has(claim)) return -1;
    if (claim < proven && !sameBytes(scan.entries.at(position), stored.at(claim))) return -1;
    if (claim >= Math.max(proven, scan.claims.length) && position < lastBelow) return -1;
    seen.add(claim);
    return claim;
  });
}

/** Claims that were met: a byte each for those inside the log, which are millions, and a set for the few that are not. */
class SeenClaims {
  readonly #inside: Uint8Array;
  readonly #beyond = new Set<number>();

  constructor(length: number) {
    this.#inside = new Uint8Array(length);
  }

  has(claim: number): boolean {
    return claim < this.#inside.length ? this.#inside[claim] === 1 : this.#beyond.has(claim);
  }

  add(claim: number): void {
    if (claim < this.#inside.length) this.#inside[claim] = 1;
    else this.#beyond.add(claim);
  }
}

function hashAt(hashes: Uint8Array, index: number): Uint8Array {
  return hashes.subarray(index * hashLength, (index + 1) * hashLength);
}
