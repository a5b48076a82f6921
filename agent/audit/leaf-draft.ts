import { type AuditEvent, GrowingTree, type Sequenced, sequence, type TreeState } from "../../protocol/audit/index.ts";
import { type LogContext, leavesAfter } from "./log-context.ts";

/** Leaves spelled and hashed before the transaction that appends them, as they follow on `tree`. */
export class LeafDraft {
  readonly #context: LogContext;
  readonly #tree: TreeState;
  readonly #growing: GrowingTree;
  #grown: Sequenced | null = null;

  constructor(context: LogContext, tree: TreeState) {
    this.#context = context;
    this.#tree = tree;
    this.#growing = new GrowingTree(tree);
  }

  /** Leaves drafted so far. */
  get size(): number {
    return this.#growing.size - this.#tree.size;
  }

  /** Drafts the next ones. Throws AUDIT_LEAF_TOO_LARGE, AUDIT_LEAF_MALFORMED. */
  add(events: readonly AuditEvent[]): void {
    this.#growing.add(leavesAfter(this.#context, this.#growing, events));
    this.#grown = null;
  }

  /** The tree of all that was drafted is made now, not in the transaction. */
  finish(): Sequenced {
    this.#grown ??= this.#growing.grown();
    return this.#grown;
  }

  /**
   * The leaves of `events` on `tree`, which stands; the first ones were drafted. All of them anew where it is not the very tree that the
   * draft follows: others came into the log meanwhile, or what it follows was taken back. Throws as {@link add}.
   */
  sequenceOn(tree: TreeState, events: readonly AuditEvent[]): Sequenced {
    if (tree !== this.#tree) return sequence(tree, leavesAfter(this.#context, tree, events));
    if (this.size < events.length) this.add(events.slice(this.size));
    return this.finish();
  }
}
