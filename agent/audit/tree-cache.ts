import { decodeTreeState, emptyTree, restorePlan, restoreTree, type TreeState } from "../../protocol/audit/index.ts";
import { sameBytes } from "../../protocol/base/index.ts";
import { maxRecentTrees } from "./limits.ts";
import type { AuditRead, Later } from "./storage.ts";

/**
 * The trees that the store may hold now. A transaction that rolls back takes its leaves with it but tells nobody, and another
 * process may append: so each append asks the store which tree stands, and looks it up here by its stored bytes.
 */
export class TreeCache {
  #recent: { readonly stored: Uint8Array; readonly tree: TreeState }[] = [];

  /** The tree that was added last: nearly always the one that stands, but only the store can tell. */
  get newest(): TreeState {
    return this.#recent.at(-1)?.tree ?? emptyTree;
  }

  /** The tree with this stored state, or null where it must be read anew. */
  find(stored: Uint8Array | null): TreeState | null {
    if (stored === null) return emptyTree;
    return this.#recent.findLast((one) => sameBytes(one.stored, stored))?.tree ?? null;
  }

  add(stored: Uint8Array, tree: TreeState): void {
    // What was at this size or above belongs to transactions that did not happen.
    this.#recent = this.#recent.filter((one) => one.tree.size < tree.size).slice(1 - maxRecentTrees);
    this.#recent.push({ stored, tree });
  }
}

/** The tree that stands in the store. Throws AUDIT_STATE_MALFORMED where leaves, tiles and stored peaks do not fit. */
export function loadTree(read: AuditRead, cache: TreeCache): TreeState {
  const stored = read.mark("tree");
  const found = cache.find(stored);
  if (found !== null || stored === null) return found ?? emptyTree;
  const { size } = decodeTreeState(stored);
  const plan = restorePlan(size);
  const tiles = plan.tiles.map(({ level, index }) => read.tile(level, index));
  const tree = restoreTree(stored, read.leaves(plan.leavesFrom, size - plan.leavesFrom), tiles);
  cache.add(stored, tree);
  return tree;
}

/** {@link loadTree} over a store that answers later. */
export async function loadTreeLater(read: Later<AuditRead>, cache: TreeCache): Promise<TreeState> {
  const stored = await read.mark("tree");
  const found = cache.find(stored);
  if (found !== null || stored === null) return found ?? emptyTree;
  const { size } = decodeTreeState(stored);
  const plan = restorePlan(size);
  const tiles: (Uint8Array | null)[] = [];
  for (const { level, index } of plan.tiles) tiles.push(await read.tile(level, index));
  const tree = restoreTree(stored, await read.leaves(plan.leavesFrom, size - plan.leavesFrom), tiles);
  cache.add(stored, tree);
  return tree;
}
