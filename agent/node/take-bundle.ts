import { type AuditEvent, judgePeerHead } from "../../protocol/audit/index.ts";
import { sameBytes, toHex } from "../../protocol/base/index.ts";
import {
  applyBody,
  type BundleBody,
  bundleKind,
  type EntryMap,
  type HeldItem,
  headerHeard,
  itemApplied,
  type OpenedBundle,
} from "../../protocol/bundle/index.ts";
import { type ContentView, encodeFact, viewContent } from "../../protocol/content/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { hearAnswer, hearSigned } from "../../protocol/time/index.ts";
import { identityOf, storeIdentity } from "../identity/index.ts";
import type { Transaction } from "../store/index.ts";
import type { AppliedChange, ApplyResult } from "./contracts.ts";
import { deleteEntryRow, putEntryRow } from "./entry-rows.ts";
import { draftTrust } from "./learn-trust.ts";
import type { MemoryWish } from "./memory-entries.ts";
import {
  alarmFact,
  heldEntries,
  inSeconds,
  intervalOf,
  type NodeParts,
  sampleOf,
  streamEvent,
  vaultMember,
} from "./node-parts.ts";
import type { NodeDraft } from "./node-records.ts";
import { addFacts, dropReports, settleFacts } from "./outbox.ts";
import { hearNonce } from "./own-nonce.ts";
import { takeCosignature } from "./take-cosignature.ts";

/** What arrived, and what the node has to do about it after the commit. */
export interface Applied {
  readonly result: ApplyResult;
  /** Entries, mode or trust changed. */
  readonly changed: boolean;
  /** The vault waits for a report, or we want something of it. */
  readonly reportDue: boolean;
  /** A held item that is now due. */
  readonly next: HeldItem | null;
  /** What is held in memory only from the commit on; null where that stays as it is. */
  readonly memory: MemoryWish | null;
}

/** Leaves of one bundle about entries of no use here; each of them is a fact in the next report besides, and `bundle.apply` counts them. */
const maxInertLeaves = 32;

/** Carriers of items ahead of a gap, by item id. */
export const heldTable = "held";

/** One bundle being applied. */
export interface Applying {
  readonly parts: NodeParts;
  readonly tx: Transaction;
  readonly draft: NodeDraft;
  readonly opened: OpenedBundle;
  readonly body: BundleBody;
}

/** Applies an opened bundle inside its transaction: entries, stream, acknowledgement, time, audit heads, leaf. */
export function takeBundle(applying: Applying): Applied {
  const { parts, tx, draft, opened, body } = applying;
  const { header, id } = opened;
  const held = heldEntries(parts, tx);
  const applied = applyBody(held, body);
  const learned = draftTrust(parts, tx, draft, opened);
  draftHeard(applying);
  draftTime(applying);
  judgeAudit(applying);
  const at = inSeconds(intervalOf(draft.time, parts.seams.clock, parts.wall));
  const head = { epoch: header.vaultEpoch, seq: header.seq, id };
  const change = changeOf(held, { head, entries: applied.entries, put: applied.put, removed: applied.removed, at });
  const memory = parts.memory.plan(tx, applied.entries, change.after);
  for (const entry of applied.removed) deleteEntryRow(tx, entry);
  for (const entry of applied.put) if (!memory.has(entry.key)) putEntryRow(tx, entry);
  parts.memory.write(tx, applied.entries, memory);
  const inert = newlyInert(change);
  addFacts(tx, [
    ...inert.map(({ entry, code }) => encodeFact({ kind: "inert", type: entry.type, id: entry.id, code })),
    ...(parts.hooks.onApply?.(tx, change) ?? []),
  ]);
  const self = nodeIdText(parts.identity.keys.nodeId);
  const leaves = [...inertEvents(parts, inert), ...(parts.hooks.leavesOf?.(change, self) ?? [])];
  if (leaves.length > 0) parts.audit.appendAll(tx, leaves);
  takeCertificate(parts, tx, change.after);
  const next = itemApplied(draft.receiver, header, id, applied.digest);
  if (draft.receiver.mode === "QUARANTINE" && next.receiver.mode === "NORMAL")
    parts.audit.append(tx, streamEvent(parts, "node.release", { details: { reason: "answered by a snapshot" } }));
  draft.receiver = next.receiver;
  for (const item of next.dropped) tx.delete(heldTable, item.id);
  const counts = { entries: applied.put.length, removed: applied.removed.length, inert: inert.length };
  parts.audit.append(tx, streamEvent(parts, "bundle.apply", { details: { ...placeDetails(opened), ...counts } }));
  const changed = applied.put.length + applied.removed.length > 0;
  return {
    result: { outcome: "applied", seq: header.seq },
    changed: true,
    // What was learned of nodes and roots may be an alarm.
    reportDue: changed || learned || header.kind === bundleKind.snapshot,
    next: next.next,
    memory,
  };
}

/** What the vault acknowledges leaves our outbox; a strange acknowledgement is an alarm at both ends. */
function draftHeard({ parts, tx, draft, opened }: Applying): void {
  const heard = headerHeard(draft.sender, opened.header);
  draft.sender = heard.sender;
  const { ack } = opened.header;
  if (heard.outcome === "advanced" && ack !== null) {
    dropReports(tx, heard.settled);
    settleFacts(tx, ack);
  }
  if (heard.outcome === "fork" || heard.outcome === "ahead")
    raise(parts, tx, "NODE_REPORT_FORK", `report ${ack?.epoch}/${ack?.seq}`);
}

function draftTime({ parts, tx, draft, opened }: Applying): void {
  const clock = sampleOf(parts.seams.clock);
  const issuedAtS = opened.header.issuedAt.lo;
  const { current, heardAtMs } = hearNonce(draft, opened.header);
  const wasLo = draft.time.loMs;
  if (current) {
    const first = heardAtMs !== null;
    const snapshot = opened.header.kind === bundleKind.snapshot;
    const { state, setBack } = hearAnswer(draft.time, clock, { issuedAtS, asked: draft.nonce, snapshot });
    draft.time = state;
    if (setBack) {
      const details = { lo: state.loMs, wasLo };
      parts.audit.append(tx, streamEvent(parts, "clock.setback", { details }));
      parts.log.warn("clock.setback", { code: "CLOCK_UNKNOWN" });
    } else if (first) {
      const { loMs: lo, hiMs } = intervalOf(state, parts.seams.clock, parts.wall);
      parts.audit.append(
        tx,
        streamEvent(parts, "clock.set", { details: { lo, wasLo, ...(hiMs === null ? {} : { hi: hiMs }) } }),
      );
    }
  } else draft.time = hearSigned(draft.time, clock, issuedAtS);
  draft.heard = { atMs: heardAtMs ?? draft.heard.atMs, wordAtMs: issuedAtS * 1000 };
}

/** The two ends hold each other's audit heads: what they prove becomes the new anchor, what they cannot explain an alarm. */
function judgeAudit({ parts, tx, draft, opened, body }: Applying): void {
  const { auditHead, provenHead } = opened.header;
  const vault = vaultMember(draft.trust);
  if (provenHead !== null) {
    const verdict = parts.audit.acknowledge(tx, provenHead);
    if (verdict === "ahead" || verdict === "fork") raise(parts, tx, "NODE_OWN_LOG_FORK", `size ${provenHead.size}`);
    const { cosignature } = body;
    const held = verdict === "stored" || verdict === "older";
    if (held && cosignature !== null && vault !== undefined)
      takeCosignature(parts, tx, { head: provenHead, cosignature, trust: draft.trust, witness: vault.statement.nodeId });
  }
  if (auditHead === null || vault === undefined) return;
  const { nodeId } = vault.statement;
  const verdict = judgePeerHead(parts.audit.peerHead(nodeId, tx), auditHead, body.consistencyProof);
  if (verdict === "proven") return parts.audit.storePeerHead(tx, nodeId, auditHead);
  // A root says that the vault was restored: its log goes on from a backup. That is told once, and the anchor is the new one.
  const restored = opened.header.vaultEpoch > draft.receiver.epoch && verdict !== "same";
  if (restored || verdict === "shorter" || verdict === "forked" || verdict === "reopened") {
    raise(parts, tx, "NODE_VAULT_LOG_FORK", `${verdict} at ${auditHead.size}`);
  }
  if (restored) parts.audit.storePeerHead(tx, nodeId, auditHead);
}

function raise(parts: NodeParts, tx: Transaction, code: string, subject: string): void {
  addFacts(tx, [alarmFact(parts, code, subject)]);
  parts.audit.append(tx, streamEvent(parts, "alarm.raise", { outcome: "failed", code, details: { reason: subject } }));
  parts.log.error("alarm.raised", { code, reason: subject });
}

/** The state before is wanted by few, so it is read when it is asked for. */
function changeOf(
  held: EntryMap,
  { entries, ...rest }: Pick<AppliedChange, "head" | "put" | "removed" | "at"> & { readonly entries: EntryMap },
): AppliedChange {
  let before: ContentView | null = null;
  return {
    ...rest,
    get before() {
      before ??= viewContent(held.values());
      return before;
    },
    after: viewContent(entries.values()),
  };
}

/** Entries that cannot be used and were not reported before: those that this bundle brought. */
function newlyInert(change: AppliedChange): ContentView["inert"] {
  const put = new Set(change.put.map((entry) => entry.key));
  return change.after.inert.filter(({ entry }) => put.has(entry.key));
}

/** A leaf for each kind of entry and reason, with how many there are: a bundle may bring a hundred thousand. */
function inertEvents(parts: NodeParts, inert: ContentView["inert"]): AuditEvent[] {
  const kinds = new Map<string, { type: number; code: string; count: number }>();
  for (const { entry, code } of inert) {
    const key = `${entry.type} ${code}`;
    const known = kinds.get(key);
    if (known !== undefined) known.count += 1;
    else if (kinds.size < maxInertLeaves) kinds.set(key, { type: entry.type, code, count: 1 });
  }
  return [...kinds.values()].map(({ type, code, count }) =>
    streamEvent(parts, "entry.inert", { outcome: "failed", code, details: { type, count } }),
  );
}

/** The chain for our own TLS key, where the vault sent a new one. */
function takeCertificate(parts: NodeParts, tx: Transaction, after: ContentView): void {
  const { keys, seeds } = parts.identity;
  const own = after.certificates.get(toHex(keys.nodeId.subarray(0, 16)));
  if (own === undefined || sameChain(own.content.chain, seeds.tlsChain)) return;
  const next = { ...seeds, tlsChain: own.content.chain };
  storeIdentity(tx, next);
  parts.identity = { seeds: next, keys: identityOf(next) };
}

function sameChain(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((one, i) => sameBytes(one, b[i] as Uint8Array));
}

/** Where an item stands, for the log. */
export function places({ header }: OpenedBundle): { epoch: number; seq: number } {
  return { epoch: header.vaultEpoch, seq: header.seq };
}

/** Where an item stands, for a leaf. */
export function placeDetails({ header, id }: OpenedBundle): { epoch: number; sequence: number; id: string; kind?: string } {
  return { epoch: header.vaultEpoch, sequence: header.seq, id: toHex(id) };
}
