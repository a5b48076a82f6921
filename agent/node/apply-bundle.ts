import { judgePeerHead } from "../../protocol/audit/index.ts";
import { sameBytes, TidegateError, toHex } from "../../protocol/base/index.ts";
import {
  answered,
  applyBody,
  askSnapshot,
  type BundleBody,
  bundleKind,
  direction,
  dropHeld,
  type EntryMap,
  type HeldItem,
  headerHeard,
  holdItem,
  itemApplied,
  type OpenedBundle,
  openBundle,
  requireSnapshot,
} from "../../protocol/bundle/index.ts";
import { type ContentView, encodeFact, viewContent } from "../../protocol/content/index.ts";
import { decodeCarrier } from "../../protocol/envelope/index.ts";
import { hearAnswer, hearSigned } from "../../protocol/time/index.ts";
import { applyStatements } from "../../protocol/trust/index.ts";
import { identityOf, storeIdentity } from "../identity/index.ts";
import type { Transaction } from "../store/index.ts";
import type { AppliedChange, ApplyResult } from "./contracts.ts";
import { loadEntries, saveEntries } from "./entry-rows.ts";
import { alarmFact, inSeconds, intervalOf, type NodeParts, sampleOf, streamEvent, vaultMember } from "./node-parts.ts";
import type { NodeDraft } from "./node-records.ts";
import { addFacts, dropReports, settleFacts } from "./outbox.ts";

/** What arrived, and what the node has to do about it after the commit. */
export interface Applied {
  readonly result: ApplyResult;
  /** Entries, mode or trust changed. */
  readonly changed: boolean;
  /** The vault waits for a report, or we want something of it. */
  readonly reportDue: boolean;
  /** A held item that is now due. */
  readonly next: HeldItem | null;
}

const heldTable = "held";

/** Judges one carrier and does what the judgement says, in one transaction. Throws what the store throws, and our own bugs. */
export function applyBundle(parts: NodeParts, carrier: Uint8Array): Applied {
  let opened: OpenedBundle;
  try {
    opened = open(parts, carrier);
  } catch (error) {
    if (!isPeersFault(error)) throw error;
    return refused(error, learnQuietly(parts, carrier));
  }
  const { judgement } = opened;
  if (judgement.verdict === "apply") return applyOpened(parts, opened, opened.body as BundleBody);
  return parts.records.change((tx, draft) => {
    const changed = draftTrust(parts, tx, draft, opened);
    if (judgement.verdict === "duplicate") return { result: { outcome: "duplicate" }, changed, reportDue: false, next: null };
    if (judgement.verdict === "hold") {
      draft.receiver = holdItem(draft.receiver, opened.header, opened.id);
      tx.put(heldTable, opened.id, carrier);
      parts.audit.append(tx, streamEvent(parts, "bundle.hold", { details: placeDetails(opened) }));
      return { result: { outcome: "held" }, changed, reportDue: false, next: null };
    }
    return refuseItem(parts, tx, draft, { opened, judgement, changed });
  });
}

/** The carrier of a held item, taken out of the store. */
export function takeHeld(parts: NodeParts, item: HeldItem): Uint8Array | null {
  return parts.records.change((tx, draft) => {
    const carrier = tx.get(heldTable, item.id);
    tx.delete(heldTable, item.id);
    draft.receiver = dropHeld(draft.receiver, item.id);
    return carrier;
  });
}

function open(parts: NodeParts, carrier: Uint8Array): OpenedBundle {
  const { trust, receiver } = parts.records.current;
  const { nodeId, sealing } = parts.identity.keys;
  return openBundle(carrier, { direction: direction.down, trust, recipient: nodeId, receiver, sealingKeys: [sealing] });
}

/** Everything an arriving item may be refused with is an error of ours by type; what the store says is not about the item. */
function isPeersFault(error: unknown): error is TidegateError {
  return error instanceof TidegateError && error.fault !== "environment" && !error.code.startsWith("STORE_");
}

function refused(error: TidegateError, changed: boolean): Applied {
  return {
    result: { outcome: "refused", code: error.code, retryable: error.retryable },
    changed,
    reportDue: false,
    next: null,
  };
}

/** Roots that came with a refused item still count: a node that slept through more of them than one carrier holds catches up so. */
function learnQuietly(parts: NodeParts, carrier: Uint8Array): boolean {
  try {
    return learnStatements(parts, decodeCarrier(carrier).statements);
  } catch (error) {
    if (isPeersFault(error)) return false;
    throw error;
  }
}

/** Applies statements durably; true where they changed anything. Throws TRUST_* and others. */
export function learnStatements(parts: NodeParts, statements: readonly Uint8Array[]): boolean {
  const { state: trust, changes } = applyStatements(parts.records.current.trust, statements);
  if (changes.length === 0) return false;
  return parts.records.change((tx, draft) => draftTrust(parts, tx, draft, { trust, trustChanges: changes }));
}

function draftTrust(
  parts: NodeParts,
  tx: Transaction,
  draft: NodeDraft,
  { trust, trustChanges }: Pick<OpenedBundle, "trust" | "trustChanges">,
): boolean {
  if (trustChanges.length === 0) return false;
  draft.trust = trust;
  for (const change of trustChanges) {
    if (change.kind !== "root") continue;
    const details = { version: change.version, vaultEpoch: change.vaultEpoch };
    parts.audit.append(tx, streamEvent(parts, "root.accept", { details }));
  }
  return true;
}

interface Refusal {
  readonly opened: OpenedBundle;
  readonly judgement: Extract<OpenedBundle["judgement"], { verdict: "refuse" }>;
  readonly changed: boolean;
}

/** An item that its stream refuses: ask for a snapshot where we fell behind, stop following where the sender contradicts itself. */
function refuseItem(parts: NodeParts, tx: Transaction, draft: NodeDraft, { opened, judgement, changed }: Refusal): Applied {
  const { code } = judgement;
  // Once is enough: who repeats the contradiction must not be able to change our nonce again and again.
  const quarantine = judgement.quarantine && draft.receiver.mode === "NORMAL";
  const behind = code === "STREAM_HELD_FULL" && !draft.receiver.wantsSnapshot;
  if (behind) draftWish(parts, draft);
  if (quarantine) {
    draft.receiver = requireSnapshot(draft.receiver, "QUARANTINE", draftNonce(parts, draft));
    addFacts(tx, [alarmFact(parts, code, `bundle ${opened.header.vaultEpoch}/${opened.header.seq}`)]);
    const details = { reason: code, epoch: opened.header.vaultEpoch, sequence: opened.header.seq };
    parts.audit.append(tx, streamEvent(parts, "node.quarantine", { outcome: "failed", code, details }));
    parts.log.error("node.quarantined", { code, ...places(opened) });
  }
  const result: ApplyResult = { outcome: "refused", code, retryable: behind };
  return { result, changed: changed || quarantine, reportDue: quarantine || behind, next: null };
}

/** Asks the vault for a snapshot, unless that was asked already. */
function draftWish(parts: NodeParts, draft: NodeDraft): void {
  if (draft.receiver.wantsSnapshot || draft.receiver.mode !== "NORMAL") return;
  draft.receiver = askSnapshot(draft.receiver, draftNonce(parts, draft));
}

/** A new nonce, with the moment it was made. */
function draftNonce(parts: NodeParts, draft: NodeDraft): Uint8Array {
  const { bootId, sinceBootMs } = sampleOf(parts.seams.clock);
  draft.nonce = { bootId, sinceBootMs, answered: false };
  return parts.seams.random(16);
}

/** A delta for another state than ours shows only when its body is open: our state went another way, so a snapshot must mend it. */
const divergence: ReadonlySet<string> = new Set(["BUNDLE_BASE_MISMATCH", "BUNDLE_RESULT_MISMATCH", "BUNDLE_ENTRY_OLDER"]);

function applyOpened(parts: NodeParts, opened: OpenedBundle, body: BundleBody): Applied {
  try {
    return parts.records.change((tx, draft) => applyInside({ parts, tx, draft, opened, body }));
  } catch (error) {
    if (!isPeersFault(error)) throw error;
    const changed = opened.trustChanges.length > 0 && parts.records.change((tx, draft) => draftTrust(parts, tx, draft, opened));
    if (!divergence.has(error.code)) return refused(error, changed);
    parts.records.change((_tx, draft) => draftWish(parts, draft));
    return { ...refused(error, changed), reportDue: true };
  }
}

/** One bundle being applied. */
interface Applying {
  readonly parts: NodeParts;
  readonly tx: Transaction;
  readonly draft: NodeDraft;
  readonly opened: OpenedBundle;
  readonly body: BundleBody;
}

function applyInside(applying: Applying): Applied {
  const { parts, tx, draft, opened, body } = applying;
  const { header, id } = opened;
  const held = loadEntries(tx);
  const applied = applyBody(held, body);
  draftTrust(parts, tx, draft, opened);
  draftHeard(applying);
  draftTime(applying);
  judgeAudit(applying);
  saveEntries(tx, applied.put, applied.removed);
  const at = inSeconds(intervalOf(draft.time, parts.seams.clock, parts.wall));
  const change = changeOf(held, { entries: applied.entries, put: applied.put, removed: applied.removed, at });
  const inert = newlyInert(change);
  addFacts(tx, [
    ...inert.map(({ entry, code }) => encodeFact({ kind: "inert", type: entry.type, id: entry.id, code })),
    ...(parts.hooks.onApply?.(tx, change) ?? []),
  ]);
  takeCertificate(parts, tx, change.after);
  const next = itemApplied(draft.receiver, header, id, applied.digest);
  draft.receiver = next.receiver;
  for (const item of next.dropped) tx.delete(heldTable, item.id);
  const counts = { entries: applied.put.length, removed: applied.removed.length, inert: inert.length };
  parts.audit.append(tx, streamEvent(parts, "bundle.apply", { details: { ...placeDetails(opened), ...counts } }));
  const changed = applied.put.length + applied.removed.length > 0;
  return {
    result: { outcome: "applied", seq: header.seq },
    changed: true,
    reportDue: changed || header.kind === bundleKind.snapshot,
    next: next.next,
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
  const answer = answered(draft.receiver, opened.header);
  const wasLo = draft.time.loMs;
  if (answer === "current") {
    const snapshot = opened.header.kind === bundleKind.snapshot;
    const { state, setBack } = hearAnswer(draft.time, clock, { issuedAtS, asked: draft.nonce, snapshot });
    draft.time = state;
    draft.nonce = { ...draft.nonce, answered: true };
    if (setBack) {
      const details = { lo: state.loMs, wasLo };
      parts.audit.append(tx, streamEvent(parts, "clock.setback", { details }));
      parts.log.warn("clock.setback", { code: "CLOCK_UNKNOWN" });
    }
  } else draft.time = hearSigned(draft.time, clock, issuedAtS);
  if (answer !== "none") draft.heard = { atMs: issuedAtS * 1000 };
}

/** The two ends hold each other's audit heads: what they prove becomes the new anchor, what they cannot explain an alarm. */
function judgeAudit({ parts, tx, draft, opened, body }: Applying): void {
  const { auditHead, provenHead } = opened.header;
  if (provenHead !== null) {
    const verdict = parts.audit.acknowledge(tx, provenHead);
    if (verdict === "ahead" || verdict === "fork") raise(parts, tx, "NODE_OWN_LOG_FORK", `size ${provenHead.size}`);
  }
  const vault = vaultMember(draft.trust);
  if (auditHead === null || vault === undefined) return;
  const { nodeId } = vault.statement;
  const verdict = judgePeerHead(parts.audit.peerHead(nodeId, tx), auditHead, body.consistencyProof);
  if (verdict === "proven") parts.audit.storePeerHead(tx, nodeId, auditHead);
  else if (verdict === "shorter" || verdict === "forked" || verdict === "reopened") {
    raise(parts, tx, "NODE_VAULT_LOG_FORK", `${verdict} at ${auditHead.size}`);
  }
}

function raise(parts: NodeParts, tx: Transaction, code: string, subject: string): void {
  addFacts(tx, [alarmFact(parts, code, subject)]);
  parts.audit.append(tx, streamEvent(parts, "alarm.raise", { outcome: "failed", code, details: { reason: subject } }));
  parts.log.error("alarm.raised", { code, reason: subject });
}

/** The state before is wanted by few, so it is read when it is asked for. */
function changeOf(
  held: EntryMap,
  { entries, ...rest }: Pick<AppliedChange, "put" | "removed" | "at"> & { readonly entries: EntryMap },
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

function places({ header }: OpenedBundle): { epoch: number; seq: number } {
  return { epoch: header.vaultEpoch, seq: header.seq };
}

function placeDetails({ header, id }: OpenedBundle): { epoch: number; sequence: number; id: string; kind?: string } {
  return { epoch: header.vaultEpoch, sequence: header.seq, id: toHex(id) };
}
