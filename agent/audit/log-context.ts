import {
  type AuditEvent,
  encodeEvents,
  type LogName,
  type NoteSigner,
  originOf,
  rootOf,
  signCheckpoint,
  successionDetails,
  type TreeState,
} from "../../protocol/audit/index.ts";
import { assert, type Random } from "../../protocol/base/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import type { Clock } from "../seams/index.ts";
import type { EpochKey } from "./storage.ts";

/** What a log knows about the node that keeps it. */
export interface LogContext {
  readonly name: LogName;
  /** The static log key. */
  readonly logKey: NoteSigner["key"];
  readonly clock: Clock;
  /** Draws epoch keys. */
  readonly random: Random;
  /** The node's time in milliseconds since 1970, as an interval; the upper end null where it is open. */
  readonly interval: () => readonly [lo: number, hi: number | null];
}

/** Encodes `events` as the leaves that follow `tree`. Throws AUDIT_LEAF_TOO_LARGE, AUDIT_LEAF_MALFORMED. */
export function leavesAfter(context: LogContext, tree: Pick<TreeState, "size">, events: readonly AuditEvent[]): Uint8Array[] {
  const { name, clock, interval } = context;
  const [lo, hi] = interval();
  const place = {
    log: name.serial,
    index: tree.size,
    time: [whole(lo), hi === null ? null : whole(hi)] as const,
    // A clock before 1970 has no place in a leaf; the interval says what is known.
    wallMs: whole(clock.wallMs()),
    boot: clock.bootId(),
    sinceBootMs: whole(clock.sinceBootMs()),
    node: name.node,
  };
  return encodeEvents(events, place);
}

/** The checkpoint of `tree`, signed by the log key and the key of the epoch. */
export function checkpointOf(context: LogContext, tree: TreeState, epoch: EpochKey | null): Uint8Array {
  assert(epoch !== null, "a log has an epoch key");
  return signCheckpoint(
    originOf(context.name),
    { size: tree.size, root: rootOf(tree) },
    { log: context.logKey, epoch: signingKeyFromSeed(epoch.seed), epochNumber: epoch.number },
  );
}

/** What ends an epoch: its last checkpoint, over `tree`; the event by which it names the next key; and that key. */
export interface EpochChange {
  readonly final: Uint8Array;
  readonly event: AuditEvent;
  readonly next: EpochKey;
}

/** Draws the key after `epoch`, which takes over behind the leaves of `tree`. All of it goes into one transaction. */
export function epochChangeOf(context: LogContext, tree: TreeState, epoch: EpochKey | null): EpochChange {
  assert(epoch !== null, "a log has an epoch key");
  const { name, random } = context;
  const next: EpochKey = { number: epoch.number + 1, seed: random(32) };
  const ending = signingKeyFromSeed(epoch.seed);
  const succession = { epoch: next.number, publicKey: signingKeyFromSeed(next.seed).publicKey, from: tree.size };
  return {
    final: checkpointOf(context, tree, epoch),
    event: {
      action: "audit.epoch",
      actor: { kind: "node", id: name.node },
      subject: { kind: "log", id: `${name.serial}` },
      outcome: "ok",
      details: successionDetails(originOf(name), succession, (message) => ending.sign(message)),
    },
    next,
  };
}

/** An event that a log tells of its own node. */
export function ownEvent<Action extends "node.start" | "node.stop" | "audit.gap">(
  { node }: LogName,
  action: Action,
  details: Extract<AuditEvent, { readonly action: Action }>["details"],
): Extract<AuditEvent, { readonly action: Action }> {
  const self = { kind: "node", id: node } as const;
  // TypeScript does not narrow a union by a generic `action`; the signature ties the details to it.
  return { action, actor: self, subject: self, outcome: "ok", details } as unknown as Extract<
    AuditEvent,
    { readonly action: Action }
  >;
}

function whole(ms: number): number {
  return Math.max(0, Math.floor(ms));
}
