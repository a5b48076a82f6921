import { asBytesUpTo, assert, asTuple, asUint, concat, decodeTcbor, encodeTcbor, TcborError } from "../base/index.ts";
import { AuditError } from "./errors.ts";
import { tileHeight, tileWidth } from "./limits.ts";
import { emptyRoot, foldSubtree, hashLeaf, hashLeafInto, hashLength, hashNode } from "./tree-hash.ts";

/** A tree that grows at its right side: everything that appending and the root need. Immutable. */
export interface TreeState {
  /** Number of leaves. */
  readonly size: number;
  /** Hashes of the complete subtrees that make up the tree, largest first: one for each 1 bit of `size`. */
  readonly peaks: readonly Uint8Array[];
  /** At tile level l: the hashes of the rightmost tile while it is not full (0 to 255). */
  readonly edge: readonly (readonly Uint8Array[])[];
}

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

export const emptyTree: TreeState = { size: 0, peaks: [], edge: [] };

/**
 * Appends `leaves` in order: the next state and the rows to write. Pure: where the transaction fails, go on from `state`.
 * Each leaf costs one leaf hash and, on average, one node hash.
 */
export function sequence(state: TreeState, leaves: readonly Uint8Array[]): { state: TreeState; rows: AuditRows } {
  const grown = new GrowingTree(state);
  for (let taken = 0; taken < leaves.length; ) {
    const whole = grown.size % tileWidth === 0 && leaves.length - taken >= tileWidth;
    if (whole) grown.addTile(leaves.slice(taken, taken + tileWidth));
    else grown.addLeaf(leaves[taken] as Uint8Array);
    taken += whole ? tileWidth : 1;
  }
  const next = grown.state();
  return { state: next, rows: { first: state.size, leaves, tiles: grown.tiles(), state: encodeTreeState(next) } };
}

class GrowingTree {
  size: number;
  readonly #peaks: Uint8Array[];
  readonly #edge: Uint8Array[][];
  readonly #full: TileRow[] = [];
  /** Levels above the first whose rightmost tile has more hashes than before. */
  readonly #grown = new Set<number>();

  constructor(state: TreeState) {
    this.size = state.size;
    this.#peaks = [...state.peaks];
    this.#edge = state.edge.map((level) => [...level]);
  }

  addLeaf(leaf: Uint8Array): void {
    const hash = hashLeaf(leaf);
    this.#push(0, hash);
    this.#addSubtree(hash, 0);
  }

  /** The 256 leaves of a tile that has none yet. */
  addTile(leaves: readonly Uint8Array[]): void {
    const hashes = Buffer.allocUnsafeSlow(tileWidth * hashLength);
    for (const [at, leaf] of leaves.entries()) hashLeafInto(hashes, at * hashLength, leaf);
    const root = foldSubtree(hashes);
    this.#full.push({ level: 0, index: this.size / tileWidth, bytes: hashes });
    this.#edge[0] = [];
    this.#push(1, root);
    this.#grown.add(1);
    this.#addSubtree(root, tileHeight);
  }

  state(): TreeState {
    return { size: this.size, peaks: this.#peaks, edge: this.#edge };
  }

  tiles(): TileRow[] {
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

/** Root of the whole tree; about log2(size) hashes. */
export function rootOf(state: Pick<TreeState, "peaks">): Uint8Array {
  return state.peaks.length === 0 ? emptyRoot() : state.peaks.reduceRight((right, left) => hashNode(left, right));
}

/** `state` for storing: TCBOR [size, peaks one after another]; at most 1.8 kB. The edge comes back from leaves and tiles. */
export function encodeTreeState(state: Pick<TreeState, "size" | "peaks">): Uint8Array {
  return encodeTcbor([state.size, concat(...state.peaks)]);
}

/** Reads what {@link encodeTreeState} wrote. Throws AUDIT_STATE_MALFORMED. */
export function decodeTreeState(bytes: Uint8Array): { readonly size: number; readonly peaks: readonly Uint8Array[] } {
  try {
    const [first, second] = asTuple(decodeTcbor(bytes), "tree state", 2);
    const size = asUint(first, "size");
    const joined = asBytesUpTo(second, "peaks", 53 * hashLength);
    if (joined.length !== ones(size) * hashLength) throw mismatch("peaks do not fit the size");
    return { size, peaks: splitHashes(joined) };
  } catch (cause) {
    if (cause instanceof TcborError) throw mismatch(cause.message);
    throw cause;
  }
}

/** What {@link restoreTree} reads for a tree of `size`: the leaves from `leavesFrom` on, then these tiles, at most one a level. */
export function restorePlan(size: number): {
  readonly leavesFrom: number;
  readonly tiles: readonly { level: number; index: number }[];
} {
  const tiles: { level: number; index: number }[] = [];
  for (let level = 1, hashes = Math.floor(size / tileWidth); hashes > 0; level += 1, hashes = Math.floor(hashes / tileWidth)) {
    if (hashes % tileWidth > 0) tiles.push({ level, index: Math.floor(hashes / tileWidth) });
  }
  return { leavesFrom: size - (size % tileWidth), tiles };
}

/**
 * The tree from its stored state and the leaves and tiles that {@link restorePlan} named, in that order. Throws
 * AUDIT_STATE_MALFORMED where they do not lead to the stored peaks: the store was damaged or put together from two.
 */
export function restoreTree(
  stored: Uint8Array,
  leaves: readonly Uint8Array[],
  tiles: readonly (Uint8Array | null)[],
): TreeState {
  const { size, peaks } = decodeTreeState(stored);
  const plan = restorePlan(size);
  if (leaves.length !== size - plan.leavesFrom || tiles.length !== plan.tiles.length)
    throw mismatch("leaves or tiles are missing");
  const edge: Uint8Array[][] = [leaves.map(hashLeaf)];
  for (const [at, { level }] of plan.tiles.entries()) {
    while (edge.length < level) edge.push([]);
    edge[level] = splitHashes(tiles[at] ?? new Uint8Array(0));
  }
  const found = edge.toReversed().flatMap(peaksOf);
  if (found.length !== peaks.length || found.some((hash, at) => Buffer.compare(hash, peaks[at] as Uint8Array) !== 0)) {
    throw mismatch("leaves and tiles do not lead to the stored peaks");
  }
  return { size, peaks, edge };
}

/** Hashes of the complete subtrees over `hashes`, largest first. */
function peaksOf(hashes: readonly Uint8Array[]): Uint8Array[] {
  const peaks: Uint8Array[] = [];
  for (const [at, hash] of hashes.entries()) {
    let subtree = hash;
    for (let rest = at; rest % 2 === 1; rest = (rest - 1) / 2) subtree = hashNode(peaks.pop() as Uint8Array, subtree);
    peaks.push(subtree);
  }
  return peaks;
}

/** The hashes that stand one after another in `bytes`; a rest shorter than a hash is left out. */
export function splitHashes(bytes: Uint8Array): Uint8Array[] {
  const count = Math.floor(bytes.length / hashLength);
  return Array.from({ length: count }, (_, at) => bytes.slice(at * hashLength, (at + 1) * hashLength));
}

function ones(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

function mismatch(why: string): AuditError {
  return new AuditError("AUDIT_STATE_MALFORMED", why);
}
