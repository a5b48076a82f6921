import { sameBytes } from "../base/index.ts";
import { HashList } from "./hash-list.ts";
import { decodeLeaf, type Leaf } from "./leaf.ts";
import { scanLeaf } from "./leaf-scan.ts";
import { maxNotices } from "./limits.ts";
import type { LogOfLeaves, ScannedEntries } from "./scan-entries.ts";
import { hashLeaf, hashLength } from "./tree-hash.ts";

/** The beginning of a log as a copy holds it that begins later: hashes for the tree, and the leaves that name keys. */
export interface EarlierEntries {
  readonly count: number;
  /** Leaf hashes, one after another; at least `count`. */
  readonly hashes: Uint8Array;
  /** The `audit.epoch` leaves among them; only those that have the hash of their place count. */
  readonly successions: readonly Uint8Array[];
}

/** What one pass over the entries finds out. */
export class Scan {
  /** Hashes of the entries in the order of the file. */
  readonly entries: HashList;
  /** For each entry its own claim of where it belongs; -1 where it is no leaf of this log. */
  readonly claims: number[] = [];
  /** `audit.epoch` leaves by position, in the order of the file. */
  readonly successions: { readonly index: number; readonly leaf: Leaf }[] = [];
  /** Leaves that say what the log does not hold, by position; the newest {@link maxNotices}. */
  readonly notices: { readonly index: number; readonly leaf: Leaf }[] = [];

  /** `sizes`: those whose roots will be asked for. `before` stands for entries that the copy begins after. */
  constructor(sizes: readonly number[], before: EarlierEntries | null, log: LogOfLeaves) {
    this.entries = new HashList(sizes);
    if (before !== null) this.#begin(before, log);
  }

  /** Takes in the entries that come next. */
  add({ hashes, claims, root, told }: ScannedEntries): void {
    const first = this.claims.length;
    this.entries.add(hashes, root);
    for (const claim of claims) this.claims.push(claim);
    for (const { at, action, leaf } of told) {
      const list = action === "audit.epoch" ? this.successions : this.notices;
      list.push({ index: first + at, leaf: decodeLeaf(leaf) });
    }
    this.notices.splice(0, this.notices.length - maxNotices);
  }

  #begin(before: EarlierEntries, log: LogOfLeaves): void {
    for (let index = 0; index < before.count; index += 1) {
      this.entries.push(before.hashes.subarray(index * hashLength, (index + 1) * hashLength));
      this.claims.push(index);
    }
    for (const bytes of before.successions) {
      const leaf = scanLeaf(bytes);
      if (leaf === null || leaf.node !== log.node || leaf.log !== (log.serial ?? leaf.log)) continue;
      if (leaf.told !== "audit.epoch" || leaf.index >= before.count) continue;
      if (!sameBytes(hashLeaf(bytes), this.entries.at(leaf.index))) continue;
      this.successions.push({ index: leaf.index, leaf: decodeLeaf(bytes) });
    }
  }
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
