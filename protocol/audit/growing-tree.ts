import { assert, concat } from "../base/index.ts";
import { tileHeight, tileWidth } from "./limits.ts";
import { foldSubtree, hashLeaf, hashLeafInto, hashLength, hashNode } from "./tree-hash.ts";
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
      const whole = this.size % tileWidth === 0 && leaves.length - taken >= tileWidth;
      if (whole) this.#addTile(leaves.slice(taken, taken + tileWidth));
      else this.#addLeaf(leaves[taken] as Uint8Array);
      taken += whole ? tileWidth : 1;
    }
    for (const leaf of leaves) this.#leaves.push(leaf);
  }

  /** The tree now, and the rows of all that was added. */
  grown(): Sequenced {
    const state = { size: this.size, peaks: [...this.#peaks], edge: this.#edge.map((level) => [...level]) };
    const rows = { first: this.#first, leaves: [...this.#leaves], tiles: this.#tiles(), state: encodeTreeState(state) };
    return { state, rows };
  }

  #addLeaf(leaf: Uint8Array): void {
    const hash = hashLeaf(leaf);
    this.#push(0, hash);
    this.#addSubtree(hash, 0);
  }

  /** The 256 leaves of a tile that has none yet. */
  #addTile(leaves: readonly Uint8Array[]): void {
    const hashes = Buffer.allocUnsafeSlow(tileWidth * hashLength);
    for (const [at, leaf] of leaves.entries()) hashLeafInto(hashes, at * hashLength, leaf);
    const root = foldSubtree(hashes);
    this.#full.push({ level: 0, index: this.size / tileWidth, bytes: hashes });
    this.#edge[0] = [];
    this.#push(1, root);
    this.#grown.add(1);
    this.#addSubtree(root, tileHeight);
  }

  #tiles(): TileRow[] {
    const partial = [...this.#grown].flatMap((level): TileRow[] => {
      const hashes = this.#edge[level] ?? [];
      return hashes.length === 0 ? [] : [{ level, index: tileIndex(level, this.size - 1), bytes: concat(...hashes) }];
    });
    return [...this.#full, ...partial];
  }

  /** Takes in a complete subtree of this height; its leaves' own levels are in the edge already. */
  #addSubtree(hash: Uint8Array, from: number): void {
    let subtree = hash;
    let height = from;
    const leaf = this.size + 2 ** from - 1;
    for (let rest = this.size / 2 ** from; rest % 2 === 1; rest = (rest - 1) / 2) {
      subtree = hashNode(this.#peaks.pop() as Uint8Array, subtree);
      height += 1;
      // A complete subtree of 256^level leaves is one hash of the tile level above the one that it fills.
      if (height % tileHeight === 0) {
        const level = height / tileHeight;
        this.#full.push(this.#takeFull(level - 1, leaf));
        this.#push(level, subtree);
        this.#grown.add(level);
      }
    }
    this.#peaks.push(subtree);
    this.size = leaf + 1;
  }

  /** Takes the full tile out of the edge; `leaf` is the index of the leaf that filled it. */
  #takeFull(level: number, leaf: number): TileRow {
    const hashes = this.#edge[level];
    assert(hashes?.length === tileWidth, "a tile is full when its subtree is complete");
    this.#edge[level] = [];
    return { level, index: tileIndex(level, leaf), bytes: concat(...hashes) };
  }

  #push(level: number, hash: Uint8Array): void {
    const hashes = this.#edge[level];
    if (hashes !== undefined) hashes.push(hash);
    else this.#edge[level] = [hash];
  }
}

/** Index of the tile of `level` over the leaf at index `leaf`. */
function tileIndex(level: number, leaf: number): number {
  return Math.floor(leaf / tileWidth ** (level + 1));
}
