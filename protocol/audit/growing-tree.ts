import { assert, concat } from "../base/index.ts";
import { tileHeight, tileWidth } from "./limits.ts";
import { hashLeaves, hashPairs } from "./many-hashes.ts";
import { hashLength, hashNode } from "./tree-hash.ts";
import { encodeTreeState, type TreeState } from "./tree-state.ts";

/** A hash tile for storing: at level 0 always full, above as full as it is so far (it replaces the row before). */
export interface TileRow {
  readonly level: number;
  readonly index: number;
  /** 1 to 256 hashes of 32 bytes. */
  readonly bytes: Uint8Array;
}

/** What one append adds to storage, all of it in one transaction. */
export interface AuditRows {
  /** Consecutive leaves, the first at index `first`. */
  readonly first: number;
  readonly leaves: readonly Uint8Array[];
  /** Tiles to put, by (level, index). */
  readonly tiles: readonly TileRow[];
  /** The tree after them, for {@link decodeTreeState}; replaces the one before. */
  readonly state: Uint8Array;
}

/** A tree after leaves were appended, and what that adds to storage. */
export interface Sequenced {
  readonly state: TreeState;
  readonly rows: AuditRows;
}

/** Appends `leaves` in order, by {@link GrowingTree}. Pure: where the transaction fails, go on from `state`. */
export function sequence(state: TreeState, leaves: readonly Uint8Array[]): Sequenced {
  const tree = new GrowingTree(state);
  tree.add(leaves);
  return tree.grown();
}

/** A tree to which leaves are appended a few at a time; all of them go into one transaction. Writes over nothing of the state that it goes on from. */
export class GrowingTree {
  /** Leaves, those that stood before counted. */
  size: number;
  readonly #first: number;
  readonly #leaves: Uint8Array[] = [];
  readonly #peaks: Uint8Array[];
  readonly #edge: Uint8Array[][];
  readonly #full: TileRow[] = [];
  /** Levels above the first whose rightmost tile has more hashes than before. */
  readonly #grown = new Set<number>();

  constructor(state: TreeState) {
    this.size = state.size;
    this.#first = state.size;
    this.#peaks = [...state.peaks];
    this.#edge = state.edge.map((level) => [...level]);
  }

  /** Each leaf costs one leaf hash and, on average, one node hash. */
  add(leaves: readonly Uint8Array[]): void {
    for (let taken = 0; taken < leaves.length; ) {
      const run = leaves.slice(taken, taken + tileWidth - (this.size % tileWidth));
      this.#addHashes(hashLeaves(run));
      taken += run.length;
    }
    for (const leaf of leaves) this.#leaves.push(leaf);
  }

  /** The tree now, and the rows of all that was added. */
  grown(): Sequenced {
    const state = { size: this.size, peaks: [...this.#peaks], edge: this.#edge.map((level) => [...level]) };
    const rows = { first: this.#first, leaves: [...this.#leaves], tiles: this.#tiles(), state: encodeTreeState(state) };
    return { state, rows };
  }

  /** Leaf hashes, one after another, that fit into the rest of the last tile. */
  #addHashes(hashes: Uint8Array): void {
    const tile = Math.floor(this.size / tileWidth);
    const from = this.size % tileWidth;
    const root = this.#addSubtrees(hashes, from);
    this.size += hashes.length / hashLength;
    if (root !== null && from === 0) this.#edge[0] = [];
    else for (let at = 0; at < hashes.length; at += hashLength) this.#push(0, hashes.subarray(at, at + hashLength));
    if (root === null) return;
    this.#full.push({ level: 0, index: tile, bytes: from === 0 ? hashes : this.#takeFull(0) });
    this.#addTile(root, tile);
  }

  /**
   * Takes in neighbours that come behind the first `from` leaves of a tile: level by level, each one with its left neighbour, which may be a peak.
   * Returns the root of the tile where it is full now, else null.
   */
  #addSubtrees(hashes: Uint8Array, from: number): Uint8Array | null {
    const left: Uint8Array[] = [];
    let row = hashes;
    let first = from;
    for (let height = 0; height < tileHeight && row.length > 0; height += 1) {
      if (first % 2 === 1) row = concat(this.#peaks.pop() as Uint8Array, row);
      if ((row.length / hashLength) % 2 === 1) left.unshift(row.slice(-hashLength));
      row = hashPairs(row);
      first = Math.floor(first / 2);
    }
    this.#peaks.push(...left);
    return row.length === 0 ? null : row;
  }

  /** Takes in a full tile, the one at `index`. */
  #addTile(root: Uint8Array, index: number): void {
    let subtree = root;
    this.#push(1, root);
    let height = tileHeight;
    for (let rest = index; rest % 2 === 1; rest = (rest - 1) / 2) {
      subtree = hashNode(this.#peaks.pop() as Uint8Array, subtree);
      height += 1;
      // A complete subtree of 256^level leaves is one hash of the tile level above the one that it fills.
      if (height % tileHeight > 0) continue;
      const level = height / tileHeight;
      this.#full.push({ level: level - 1, index: tileIndex(level - 1, this.size - 1), bytes: this.#takeFull(level - 1) });
      this.#push(level, subtree);
    }
    this.#peaks.push(subtree);
  }

  #tiles(): TileRow[] {
    const partial = [...this.#grown].flatMap((level): TileRow[] => {
      const hashes = this.#edge[level] ?? [];
      return hashes.length === 0 ? [] : [{ level, index: tileIndex(level, this.size - 1), bytes: concat(...hashes) }];
    });
    return [...this.#full, ...partial];
  }

  /** Takes the full tile out of the edge. */
  #takeFull(level: number): Uint8Array {
    const hashes = this.#edge[level];
    assert(hashes?.length === tileWidth, "a tile is full when its subtree is complete");
    this.#edge[level] = [];
    return concat(...hashes);
  }

  #push(level: number, hash: Uint8Array): void {
    const hashes = this.#edge[level];
    if (hashes !== undefined) hashes.push(hash);
    else this.#edge[level] = [hash];
    if (level > 0) this.#grown.add(level);
  }
}

/** Index of the tile of `level` over the leaf at index `leaf`. */
function tileIndex(level: number, leaf: number): number {
  return Math.floor(leaf / tileWidth ** (level + 1));
}
