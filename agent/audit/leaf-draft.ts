import type { AuditEvent } from "../../protocol/audit/index.ts";
import { type LogContext, leavesAfter } from "./log-context.ts";

/** Leaves spelled before the transaction that appends them, as they follow on a log of `from` leaves. */
export class LeafDraft {
  readonly #context: LogContext;
  readonly #from: number;
  readonly #leaves: Uint8Array[] = [];

  constructor(context: LogContext, from: number) {
    this.#context = context;
    this.#from = from;
  }

  /** Leaves spelled so far. */
  get size(): number {
    return this.#leaves.length;
  }

  /** Spells the next ones. Throws AUDIT_LEAF_TOO_LARGE, AUDIT_LEAF_MALFORMED. */
  add(events: readonly AuditEvent[]): void {
    this.#leaves.push(...leavesAfter(this.#context, { size: this.#from + this.size }, events));
  }

  /** The leaves of `events`, whose first ones were drafted: anew where others came into the log meanwhile. Throws as {@link add}. */
  leavesOf(tree: { readonly size: number }, events: readonly AuditEvent[]): Uint8Array[] {
    if (tree.size !== this.#from) return leavesAfter(this.#context, tree, events);
    this.add(events.slice(this.size));
    return this.#leaves;
  }
}
