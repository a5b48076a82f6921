import {
  buildProof,
  hashLeaf,
  type ProofPlan,
  planConsistency,
  planInclusion,
  planRoot,
  rootOf,
  tileWidth,
} from "../../protocol/audit/index.ts";
import { concat } from "../../protocol/base/index.ts";
import type { AuditRead, Later } from "./storage.ts";

/** Consistency proof from `first` leaves to `second`; both at most the log's size. */
export function readConsistency(read: AuditRead, first: number, second: number): Uint8Array[] {
  return readPlan(read, planConsistency(first, second));
}

/** Inclusion proof of the leaf at `index` in the tree of `size`. */
export function readInclusion(read: AuditRead, index: number, size: number): Uint8Array[] {
  return readPlan(read, planInclusion(index, size));
}

/** Root over the first `size` leaves. */
export function readRoot(read: AuditRead, size: number): Uint8Array {
  return rootOf({ peaks: readPlan(read, planRoot(size)) });
}

/** {@link readConsistency} over a store that answers later. */
export async function readConsistencyLater(read: Later<AuditRead>, first: number, second: number): Promise<Uint8Array[]> {
  return readPlanLater(read, planConsistency(first, second));
}

/** {@link readRoot} over a store that answers later. */
export async function readRootLater(read: Later<AuditRead>, size: number): Promise<Uint8Array> {
  return rootOf({ peaks: await readPlanLater(read, planRoot(size)) });
}

function readPlan(read: AuditRead, plan: ProofPlan): Uint8Array[] {
  return buildProof(plan, (level, index) => {
    return read.tile(level, index) ?? hashesOf(read.leaves(index * tileWidth, tileWidth));
  });
}

async function readPlanLater(read: Later<AuditRead>, plan: ProofPlan): Promise<Uint8Array[]> {
  const tiles = new Map<string, Uint8Array>();
  for (const { level, index } of plan.tiles) {
    tiles.set(
      `${level}/${index}`,
      (await read.tile(level, index)) ?? hashesOf(await read.leaves(index * tileWidth, tileWidth)),
    );
  }
  return buildProof(plan, (level, index) => tiles.get(`${level}/${index}`) ?? new Uint8Array(0));
}

/** The rightmost tile of level 0 is stored as its leaves only. */
function hashesOf(leaves: readonly Uint8Array[]): Uint8Array {
  return concat(...leaves.map(hashLeaf));
}
