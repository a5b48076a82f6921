import { TidegateError } from "../../protocol/base/index.ts";
import {
  askSnapshot,
  type BundleBody,
  direction,
  dropHeld,
  type HeldItem,
  holdItem,
  type OpenedBundle,
  openBundle,
  requireSnapshot,
} from "../../protocol/bundle/index.ts";
import { decodeCarrier } from "../../protocol/envelope/index.ts";
import type { Transaction } from "../store/index.ts";
import type { ApplyResult } from "./contracts.ts";
import { draftTrust, learnStatements } from "./learn-trust.ts";
import { alarmFact, type NodeParts, streamEvent } from "./node-parts.ts";
import type { NodeDraft } from "./node-records.ts";
import { addFacts } from "./outbox.ts";
import { draftNonce } from "./own-nonce.ts";
import { type Applied, heldTable, placeDetails, places, takeBundle } from "./take-bundle.ts";

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
    if (judgement.verdict === "duplicate")
      return { result: { outcome: "duplicate" }, changed, reportDue: changed, next: null, memory: null };
    if (judgement.verdict === "hold" && parts.memory.active) return notKept(parts, draft, changed);
    if (judgement.verdict === "hold") {
      draft.receiver = holdItem(draft.receiver, opened.header, opened.id);
      tx.put(heldTable, opened.id, carrier);
      parts.audit.append(tx, streamEvent(parts, "bundle.hold", { details: placeDetails(opened) }));
      return { result: { outcome: "held" }, changed, reportDue: changed, next: null, memory: null };
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
    memory: null,
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
  // Not even one that came too far ahead need come again: the snapshot that was asked for brings what it said, and must not wait behind it.
  const result: ApplyResult = { outcome: "refused", code, retryable: false };
  return { result, changed: changed || quarantine, reportDue: quarantine || behind, next: null, memory: null };
}

/** What came ahead of a gap may hold a value that must not lie on this disk, sealed or not: the snapshot that is asked for brings it. */
function notKept(parts: NodeParts, draft: NodeDraft, changed: boolean): Applied {
  const behind = !draft.receiver.wantsSnapshot;
  draftWish(parts, draft);
  const result: ApplyResult = { outcome: "refused", code: "NODE_MEMORY_ONLY_GAP", retryable: false };
  return { result, changed, reportDue: behind, next: null, memory: null };
}

/** Asks the vault for a snapshot, unless that was asked already. */
export function draftWish(parts: NodeParts, draft: NodeDraft): void {
  if (draft.receiver.wantsSnapshot || draft.receiver.mode !== "NORMAL") return;
  draft.receiver = askSnapshot(draft.receiver, draftNonce(parts, draft));
}

/** A delta for another state than ours shows only when its body is open: our state went another way, so a snapshot must mend it. */
const divergence: ReadonlySet<string> = new Set(["BUNDLE_BASE_MISMATCH", "BUNDLE_RESULT_MISMATCH", "BUNDLE_ENTRY_OLDER"]);

function applyOpened(parts: NodeParts, opened: OpenedBundle, body: BundleBody): Applied {
  try {
    const applied = parts.records.change((tx, draft) => takeBundle({ parts, tx, draft, opened, body }));
    if (applied.memory !== null) parts.memory.take(applied.memory);
    return applied;
  } catch (error) {
    if (!isPeersFault(error)) throw error;
    const changed = opened.trustChanges.length > 0 && parts.records.change((tx, draft) => draftTrust(parts, tx, draft, opened));
    if (!divergence.has(error.code)) return refused(error, changed);
    parts.records.change((_tx, draft) => draftWish(parts, draft));
    return { ...refused(error, changed), reportDue: true };
  }
}
