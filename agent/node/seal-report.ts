import { assert, toHex } from "../../protocol/base/index.ts";
import {
  type BundleBody,
  buildBundle,
  bundleKind,
  bundleLimits,
  type ConsistencyProof,
  direction,
  emptyBody,
  emptyDigest,
  type Fact,
  foldable,
  itemIssued,
  raiseSenderEpoch,
  renewNonce,
  type SenderState,
  snapshotDue,
  streamFields,
} from "../../protocol/bundle/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { importSealingPublicKey, type SealingPublicKey } from "../../protocol/keys/index.ts";
import { newestRoot } from "../../protocol/trust/index.ts";
import type { Transaction, View } from "../store/index.ts";
import { nodeLimits } from "./limits.ts";
import { inSeconds, intervalOf, type NodeParts, streamEvent, vaultMember } from "./node-parts.ts";
import type { NodeDraft } from "./node-records.ts";
import { dropReports, dropReportsBefore, hasUnsentFacts, markAllUnsent, markSent, putReport, unsentFacts } from "./outbox.ts";
import { draftNonce } from "./own-nonce.ts";

/** Importing a sealing key costs more than sealing to it. */
let importedKey: { readonly hex: string; readonly key: SealingPublicKey } | null = null;

/**
 * Seals the next report: facts, acknowledgement, nonce, audit head. One transaction: report, stream state, marks of the facts, leaf.
 * Returns true where facts are left for another one.
 */
export function sealReport(parts: NodeParts): boolean {
  return parts.records.change((tx, draft) => {
    raiseEpoch(tx, draft);
    const snapshot = snapshotDue(draft.sender) || unfolded(draft.sender) >= nodeLimits.foldReportsAt;
    if (snapshot) markAllUnsent(tx);
    askAgain(parts, draft);
    const standing = snapshot ? (parts.hooks.snapshotFacts?.(tx) ?? []) : [];
    assert(standing.length < bundleLimits.facts, "standing facts leave room for others");
    const waiting = unsentFacts(tx, bundleLimits.facts - standing.length - 1);
    const kind = snapshot ? bundleKind.snapshot : bundleKind.delta;
    const head = parts.audit.head(tx);
    const audit = encodeFact({ kind: "audit", size: head.size, eventsSinceAnchor: parts.audit.eventsSinceAnchor(tx) });
    const facts = [...standing, ...waiting.map(({ type, payload }) => ({ type, payload })), audit];
    const built = build(parts, tx, draft, { kind, facts });
    const place = { epoch: draft.sender.epoch, seq: built.seq, id: built.id };
    draft.sender = itemIssued(draft.sender, built.id, kind);
    putReport(tx, place, built.carrier);
    markSent(tx, waiting, place);
    if (snapshot) dropReports(tx, foldable(draft.sender));
    const details = { epoch: place.epoch, sequence: place.seq, kind: snapshot ? "snapshot" : "delta", id: toHex(built.id) };
    parts.audit.append(tx, streamEvent(parts, "report.seal", { details: { ...details, facts: facts.length } }));
    return hasUnsentFacts(tx);
  });
}

/** A higher vault epoch voids what was issued in the old one: every fact goes out again. */
function raiseEpoch(tx: Transaction, draft: NodeDraft): void {
  const { vaultEpoch } = newestRoot(draft.trust).document;
  if (vaultEpoch <= draft.sender.epoch) return;
  draft.sender = raiseSenderEpoch(draft.sender, vaultEpoch);
  dropReportsBefore(tx, vaultEpoch);
  markAllUnsent(tx);
}

/** Reports that no snapshot has made useless. */
function unfolded(sender: SenderState): number {
  return sender.unacknowledged.length - foldable(sender).length;
}

/** An answered nonce proves nothing more; while a snapshot is awaited the nonce stays, for its answer is under way. */
function askAgain(parts: NodeParts, draft: NodeDraft): void {
  if (!draft.nonce.answered || draft.receiver.mode !== "NORMAL" || draft.receiver.wantsSnapshot) return;
  draft.receiver = renewNonce(draft.receiver, draftNonce(parts, draft));
}

function build(
  parts: NodeParts,
  tx: Transaction,
  draft: NodeDraft,
  what: { kind: (typeof bundleKind)[keyof typeof bundleKind]; facts: readonly Fact[] },
): ReturnType<typeof buildBundle> {
  const { audit, hooks, seams, wall, vaultId, vaultMailbox } = parts;
  const root = newestRoot(draft.trust);
  const vault = vaultMember(draft.trust);
  const digest = emptyDigest();
  const snapshot = what.kind === bundleKind.snapshot;
  const body: BundleBody = {
    ...emptyBody(digest, snapshot ? null : digest),
    facts: what.facts,
    consistencyProof: ownProof(parts, tx),
    capabilities: snapshot ? [...hooks.capabilities].sort() : [],
  };
  return buildBundle({
    header: {
      ...streamFields(draft.sender, draft.receiver),
      vaultId,
      direction: direction.up,
      recipient: vaultMailbox,
      root: { version: root.document.version, id: root.id },
      kind: what.kind,
      issuedAt: inSeconds(intervalOf(draft.time, seams.clock, wall)),
      auditHead: audit.head(tx),
      provenHead: vault === undefined ? null : audit.peerHead(vault.statement.nodeId, tx),
      boot: { joinCounter: draft.counters.join, bootCounter: draft.counters.boot },
    },
    body: (context) => ({ ...body, escrow: hooks.escrow?.(tx, context) ?? null }),
    signer: parts.identity.keys.signing,
    recipientKey: sealingKey(root.document.sealingKeys[0]),
  });
}

function sealingKey(raw: Uint8Array | undefined): SealingPublicKey {
  assert(raw !== undefined, "a root has a sealing key");
  const hex = toHex(raw);
  if (importedKey?.hex !== hex) importedKey = { hex, key: importSealingPublicKey(raw) };
  return importedKey.key;
}

/** Proof from our head that the vault last proved to the one told in this report. */
function ownProof(parts: NodeParts, view: View): ConsistencyProof | null {
  const known = parts.audit.acknowledged(view);
  const head = parts.audit.head(view);
  if (known === null || known.serial !== head.serial || known.size === 0 || known.size >= head.size) return null;
  return { serial: head.serial, from: known.size, hashes: parts.audit.proofFrom(known.size, view) };
}
