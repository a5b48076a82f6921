import { asBytesUpTo, asTuple, asUint, concat, decodeTcbor, encodeTcbor, TcborError } from "../base/index.ts";
import { AuditError } from "./errors.ts";
import { tileWidth } from "./limits.ts";
import { emptyRoot, hashLeaf, hashLength, hashNode } from "./tree-hash.ts";

/** A tree that grows at its right side: everything that appending and the root need. Immutable. */
export interface TreeState {
  /** Number of leaves. */
  readonly size: number;
  /** Hashes of the complete subtrees that make up the tree, largest first: one for each 1 bit of `size`. */
  readonly peaks: readonly Uint8Array[];
  /** At tile level l: the hashes of the rightmost tile while it is not full (0 to 255). */
  readonly edge: readonly (readonly Uint8Array[])[];
}

export const emptyTree: TreeState = { size: 0, peaks: [], edge: [] };

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
