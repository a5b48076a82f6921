import type { AuditEvent } from "../../protocol/audit/index.ts";
import { type EntryMap, entryMap, type Fact } from "../../protocol/bundle/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { readTime, type TimeInterval, type TimeState, type WallPolicy } from "../../protocol/time/index.ts";
import { type HeldMember, nodeRole, type TrustState } from "../../protocol/trust/index.ts";
import type { AuditLog } from "../audit/index.ts";
import type { IdentitySeeds, NodeIdentity } from "../identity/index.ts";
import type { Log } from "../log/index.ts";
import type { Clock, Seams } from "../seams/index.ts";
import type { Store, View } from "../store/index.ts";
import type { NodeHooks, NodeTime } from "./contracts.ts";
import { loadEntries } from "./entry-rows.ts";
import type { MemoryEntries } from "./memory-entries.ts";
import type { NodeRecords } from "./node-records.ts";

/** What the parts of a joined node work on. */
export interface NodeParts {
  readonly store: Store;
  readonly records: NodeRecords;
  readonly audit: AuditLog;
  /** Replaced where the vault sends a new TLS chain. */
  identity: { readonly seeds: IdentitySeeds; readonly keys: NodeIdentity };
  readonly vaultId: Uint8Array;
  readonly vaultMailbox: Uint8Array;
  readonly seams: Seams;
  readonly wall: WallPolicy;
  readonly hooks: NodeHooks;
  readonly log: Log;
  /** Values that no disk holds. */
  readonly memory: MemoryEntries;
}

/** All entries of the node's state, those that only memory holds too. */
export function heldEntries({ memory }: Pick<NodeParts, "memory">, view: View): EntryMap {
  const onDisk = loadEntries(view);
  return memory.status().held === 0 ? onDisk : entryMap([...onDisk.values(), ...memory.entries()]);
}

/** The interval now, of a stored time. */
export function intervalOf(state: TimeState, clock: Clock, wall: WallPolicy): TimeInterval {
  return readTime(state, sampleOf(clock), wall);
}

/** The clocks at this moment. */
export function sampleOf(clock: Clock): { bootId: string; sinceBootMs: number; wallMs: number } {
  return { bootId: clock.bootId(), sinceBootMs: clock.sinceBootMs(), wallMs: clock.wallMs() };
}

/** An interval in whole seconds: `lo` rounded down, `hi` up. */
export function inSeconds(interval: TimeInterval): NodeTime {
  return { lo: Math.floor(interval.loMs / 1000), hi: interval.hiMs === null ? null : Math.ceil(interval.hiMs / 1000) };
}

/** A leaf about this node's own streams. */
export function streamEvent<Action extends AuditEvent["action"]>(
  parts: NodeParts,
  action: Action,
  rest: Omit<Extract<AuditEvent, { readonly action: Action }>, "action" | "actor" | "subject" | "outcome"> &
    Partial<Pick<AuditEvent, "outcome">>,
): AuditEvent {
  const self = nodeIdText(parts.identity.keys.nodeId);
  // TypeScript does not narrow a union by a generic `action`; the signature ties the rest to it.
  return {
    action,
    actor: { kind: "node", id: self },
    subject: { kind: "stream", id: self },
    outcome: "ok",
    ...rest,
  } as unknown as AuditEvent;
}

/** An alarm for the vault. */
export function alarmFact(parts: NodeParts, code: string, subject: string): Fact {
  return encodeFact({ kind: "alarm", code, subject, at: nowInSeconds(parts) });
}

/** The time as a fact takes it. */
export function nowInSeconds(parts: NodeParts): NodeTime {
  return inSeconds(intervalOf(parts.records.current.time, parts.seams.clock, parts.wall));
}

/** The vault's own member, or undefined before its statement came. */
export function vaultMember(trust: TrustState): HeldMember | undefined {
  return [...trust.members.values()].find((member) => member.statement.role === nodeRole.vault);
}
