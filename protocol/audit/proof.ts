import { assert } from "../base/index.ts";
import { AuditError } from "./errors.ts";
import { tileWidth } from "./limits.ts";
import { foldHashes, hashLength, hashNode } from "./tree-hash.ts";

/** Leaves from `begin` to before `end`, whose Merkle tree hash is one hash of a proof. */
interface Range {
  readonly begin: number;
  readonly end: number;
}

/** A proof that is still to be read from stored hashes. */
export interface ProofPlan {
  readonly ranges: readonly Range[];
  /** The hash tiles to read, each with how many of its hashes are needed from its start. */
  readonly tiles: readonly { readonly level: number; readonly index: number; readonly width: number }[];
}

/** RFC 6962 section 2.1.1: what proves that the leaf at `index` is in the tree of `size`. */
export function planInclusion(index: number, size: number): ProofPlan {
  assert(index >= 0 && index < size, "an inclusion proof is for a leaf of the tree");
  const ranges: Range[] = [];
  let begin = 0;
  let end = size;
  while (end - begin > 1) {
    const middle = begin + largestPowerBelow(end - begin);
    if (index < middle) {
      ranges.push({ begin: middle, end });
      end = middle;
    } else {
      ranges.push({ begin, end: middle });
      begin = middle;
    }
  }
  return planOf(ranges.reverse());
}

/** RFC 6962 section 2.1.2: what proves that the tree of `first` leaves is a beginning of that of `second`. Empty for equal sizes and for 0. */
export function planConsistency(first: number, second: number): ProofPlan {
  assert(first >= 0 && first <= second, "a consistency proof goes from an older tree to a newer one");
  if (first === 0 || first === second) return planOf([]);
  const ranges: Range[] = [];
  let begin = 0;
  let end = second;
  let whole = true;
  while (first !== end) {
    const middle = begin + largestPowerBelow(end - begin);
    if (first <= middle) {
      ranges.push({ begin: middle, end });
      end = middle;
    } else {
      ranges.push({ begin, end: middle });
      begin = middle;
      whole = false;
    }
  }
  // The verifier knows the old root itself, so it is left out where the old tree is one complete subtree.
  if (!whole) ranges.push({ begin, end });
  return planOf(ranges.reverse());
}

/** The subtrees whose hashes, folded from the right, are the root over the first `size` leaves. */
export function planRoot(size: number): ProofPlan {
  return planOf(subtreesOf({ begin: 0, end: size }).map(({ begin, height }) => ({ begin, end: begin + 2 ** height })));
}

/**
 * The proof's hashes, read through `tile`: the hashes of a tile, at least as many as the plan asks for. Throws
 * AUDIT_TILE_MALFORMED where there are fewer.
 */
export function buildProof(plan: ProofPlan, tile: (level: number, index: number) => Uint8Array): Uint8Array[] {
  return plan.ranges.map((range) => {
    const peaks = subtreesOf(range).map((subtree) => {
      const { level, index, from, count } = hashesOf(subtree);
      const bytes = tile(level, index);
      if (bytes.length < (from + count) * hashLength) {
        throw new AuditError("AUDIT_TILE_MALFORMED", `tile ${level}/${index} holds fewer hashes than its tree`);
      }
      const at = (hash: number) => bytes.slice((from + hash) * hashLength, (from + hash + 1) * hashLength);
      return foldHashes(Array.from({ length: count }, (_, hash) => at(hash)));
    });
    return peaks.reduceRight((right, left) => hashNode(left, right));
  });
}

function planOf(ranges: readonly Range[]): ProofPlan {
  const tiles = new Map<string, ProofPlan["tiles"][number]>();
  for (const subtree of ranges.flatMap(subtreesOf)) {
    const { level, index, from, count } = hashesOf(subtree);
    const width = Math.max(from + count, tiles.get(`${level}/${index}`)?.width ?? 0);
    tiles.set(`${level}/${index}`, { level, index, width });
  }
  return { ranges, tiles: [...tiles.values()] };
}

interface Subtree {
  readonly begin: number;
  readonly height: number;
}

/** The complete subtrees of a range, largest first. A proof's ranges begin where a subtree as large as them begins. */
function subtreesOf({ begin, end }: Range): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let at = begin; at < end; ) {
    const height = heightUpTo(end - at);
    subtrees.push({ begin: at, height });
    at += 2 ** height;
  }
  return subtrees;
}

/** Where a subtree's hash comes from: `count` hashes of one tile, folded. */
function hashesOf({ begin, height }: Subtree): { level: number; index: number; from: number; count: number } {
  const level = Math.floor(height / 8);
  const hash = begin / tileWidth ** level;
  return { level, index: Math.floor(hash / tileWidth), from: hash % tileWidth, count: 2 ** (height % 8) };
}

function largestPowerBelow(count: number): number {
  return 2 ** heightUpTo(count - 1);
}

/** Height of the largest complete subtree of at most `count` leaves. Counted, as a logarithm rounds up near 2^48. */
function heightUpTo(count: number): number {
  let height = 0;
  while (2 ** (height + 1) <= count) height += 1;
  return height;
}
