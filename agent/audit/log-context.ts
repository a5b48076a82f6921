import {
  type AuditEvent,
  type CheckpointKeys,
  encodeLeaf,
  type LogName,
  leafOf,
  originOf,
  rootOf,
  signCheckpoint,
  type TreeState,
} from "../../protocol/audit/index.ts";
import type { Clock } from "../seams/index.ts";

/** What a log knows about the node that keeps it. */
export interface LogContext {
  readonly name: LogName;
  readonly keys: CheckpointKeys;
  readonly clock: Clock;
  /** The node's time in milliseconds since 1970, as an interval; the upper end null where it is open. */
  readonly interval: () => readonly [lo: number, hi: number | null];
}

/** Encodes `events` as the leaves that follow `tree`. Throws AUDIT_LEAF_TOO_LARGE, AUDIT_LEAF_MALFORMED. */
export function leavesAfter(context: LogContext, tree: TreeState, events: readonly AuditEvent[]): Uint8Array[] {
  const { name, clock, interval } = context;
  const [lo, hi] = interval();
  const place = {
    log: name.serial,
    time: [whole(lo), hi === null ? null : whole(hi)] as const,
    // A clock before 1970 has no place in a leaf; the interval says what is known.
    wallMs: whole(clock.wallMs()),
    boot: clock.bootId(),
    sinceBootMs: whole(clock.sinceBootMs()),
    node: name.node,
  };
  return events.map((event, at) => encodeLeaf(leafOf(event, { ...place, index: tree.size + at })));
}

/** The signed checkpoint of `tree`. */
export function checkpointOf(context: LogContext, tree: TreeState): Uint8Array {
  return signCheckpoint(originOf(context.name), { size: tree.size, root: rootOf(tree) }, context.keys);
}

function whole(ms: number): number {
  return Math.max(0, Math.floor(ms));
}
