import {
  buildProof,
  hashLeaf,
  type ProofPlan,
  planConsistency,
  planInclusion,
  planRoot,
  rootOf,
  type TreeState,
  tileWidth,
} from "../../protocol/audit/index.ts";
import { concat } from "../../protocol/base/index.ts";
import type { AuditRead, Later } from "./storage.ts";

/** Consistency proof from the first `from` leaves to all of `tree`, which stands in the store. */
export function readConsistency(read: AuditRead, from: number, tree: TreeState): Uint8Array[] {
  return readPlan(read, planConsistency(from, tree.size), tree);
}

/** Consistency proof between two sizes that the stored log has had. */
export function readConsistencyBetween(read: AuditRead, from: number, size: number): Uint8Array[] {
  return readPlan(read, planConsistency(from, size));
}

/** {@link readConsistencyBetween} over a store that answers later. */
export async function readConsistencyBetweenLater(read: Later<AuditRead>, from: number, size: number): Promise<Uint8Array[]> {
  return readPlanLater(read, planConsistency(from, size), null);
}

/** Inclusion proof of the leaf at `index` in the tree of `size`. */
export function readInclusion(read: AuditRead, index: number, size: number): Uint8Array[] {
  return readPlan(read, planInclusion(index, size));
}

/** Root over the first `size` leaves; `tree`, where it is given, stands in the store and saves reading what it holds. */
export function readRoot(read: AuditRead, size: number, tree: TreeState | null = null): Uint8Array {
  return rootOf({ peaks: readPlan(read, planRoot(size), tree) });
}

/** {@link readConsistency} over a store that answers later. */
export async function readConsistencyLater(read: Later<AuditRead>, from: number, tree: TreeState): Promise<Uint8Array[]> {
  return readPlanLater(read, planConsistency(from, tree.size), tree);
}

/** {@link readRoot} over a store that answers later. */
export async function readRootLater(read: Later<AuditRead>, size: number, tree: TreeState | null = null): Promise<Uint8Array> {
  return rootOf({ peaks: await readPlanLater(read, planRoot(size), tree) });
}

function readPlan(read: AuditRead, plan: ProofPlan, tree: TreeState | null = null): Uint8Array[] {
  return buildProof(plan, (level, index) => {
    return edgeTile(tree, level, index) ?? read.tile(level, index) ?? hashesOf(read.leaves(index * tileWidth, tileWidth));
  });
}

async function readPlanLater(read: Later<AuditRead>, plan: ProofPlan, tree: TreeState | null): Promise<Uint8Array[]> {
  const tiles = new Map<string, Uint8Array>();
  for (const { level, index } of plan.tiles) {
    const tile = edgeTile(tree, level, index) ?? (await read.tile(level, index));
    tiles.set(`${level}/${index}`, tile ?? hashesOf(await read.leaves(index * tileWidth, tileWidth)));
  }
  return buildProof(plan, (level, index) => tiles.get(`${level}/${index}`) ?? new Uint8Array(0));
}

/** The tree in memory holds the hashes of its own rightmost tile of each level. */
function edgeTile(tree: TreeState | null, level: number, index: number): Uint8Array | null {
  const isRightmost = tree !== null && index === Math.floor(tree.size / tileWidth ** (level + 1));
  return isRightmost ? concat(...(tree.edge[level] ?? [])) : null;
}

/** The rightmost tile of level 0 is stored as its leaves only. */
function hashesOf(leaves: readonly Uint8Array[]): Uint8Array {
  return concat(...leaves.map(hashLeaf));
}
