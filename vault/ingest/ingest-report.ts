import { toHex } from "../../protocol/base/index.ts";
import {
  applyBody,
  type BundleBody,
  type BundleCode,
  BundleError,
  type BundleHeader,
  direction,
  dropHeld,
  emptyState,
  headerHeard,
  holdItem,
  itemApplied,
  judge,
  nodeOfSigner,
  openVerified,
  requireSignedBody,
  type SenderState,
  stateDigest,
  type VerifiedBundle,
  verifyBundle,
} from "../../protocol/bundle/index.ts";
import { factType } from "../../protocol/content/index.ts";
import { decodeCarrier, decodeEnvelope } from "../../protocol/envelope/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { advanceFleets } from "../fleet/index.ts";
import type { NodeRow, VaultTransaction } from "../store/index.ts";
import {
  dropFromOutbox,
  exportNodes,
  issueBundle,
  lockStreams,
  type NodeStreams,
  registryOf,
  saveStreams,
  type VaultCore,
  vaultMailbox,
} from "../streams/index.ts";
import { IngestError } from "./codes.ts";
import { holdNode, noteBehind } from "./hold-node.ts";
import { accountsOf, ingestFacts } from "./ingest-facts.ts";
import { heldCarrier, removeHeld, storeEscrow, storeHeld } from "./report-rows.ts";

/** What became of a report. */
export interface Ingested {
  readonly outcome: "applied" | "duplicate" | "held" | "refused";
  /** Why it was refused, or null. */
  readonly code: string | null;
  /** Nodes that have something new to fetch. */
  readonly reached: readonly Uint8Array[];
}

/**
 * Takes a report in: verified, judged by its place, opened, its facts stored and what follows from them issued, in one transaction. The
 * same report again changes nothing. Throws what verifying throws (BUNDLE_*, TRUST_*, ENVELOPE_*, SEAL_*) and INGEST_UNEXPECTED.
 */
export async function ingestCarrier(core: VaultCore, carrier: Uint8Array): Promise<Ingested> {
  core.failpoint("vault.before-ingest");
  const ingested = await core.store
    .transaction((tx) => ingest(core, tx, carrier))
    .catch(async (error) => {
      const lost = error instanceof BundleError ? lostRoots[error.code] : undefined;
      if (lost !== undefined) await core.store.transaction((tx) => noteLostRoot(core, tx, carrier, lost));
      throw error;
    });
  core.failpoint("vault.after-ingest");
  return ingested;
}

/** Refusals that come after the signature, and show that roots were signed that this store does not know. */
const lostRoots: Readonly<Partial<Record<BundleCode, string>>> = {
  BUNDLE_ROOT_MISSING: "it holds a root that this vault does not know",
  BUNDLE_ROOT_FORK: "it holds another root than this vault under one version",
  BUNDLE_EPOCH_AHEAD: "it holds a vault epoch that this vault does not know",
};

async function noteLostRoot(core: VaultCore, tx: VaultTransaction, carrier: Uint8Array, subject: string): Promise<void> {
  const { signatures } = decodeEnvelope(decodeCarrier(carrier).envelope);
  const nodeId = nodeOfSigner(await core.trust.read(tx), signatures[0]?.keyId ?? new Uint8Array(0));
  const node = await tx
    .selectFrom("nodes")
    .selectAll()
    .where("node_id", "=", nodeId ?? new Uint8Array(0))
    .where("state", "=", "active")
    .executeTakeFirst();
  if (node !== undefined) await noteBehind(core, tx, node, subject);
}

async function ingest(core: VaultCore, tx: VaultTransaction, carrier: Uint8Array): Promise<Ingested> {
  const verified = await verify(core, tx, carrier);
  let node = await nodeOf(tx, verified);
  const streams = await lockStreams(tx, node.node_id);
  // Whatever becomes of the item: to a store that went back the node's reports are a gap, and its own word stands in the header.
  const lost = node.state === "active" ? await lostBy(core, tx, { header: verified.header, sender: streams.sender }) : null;
  if (lost !== null) node = await noteBehind(core, tx, node, lost);
  const judgement = judge(streams.receiver, verified.header, verified.id);
  switch (judgement.verdict) {
    case "duplicate":
      return { outcome: "duplicate", code: null, reached: [] };
    case "hold": {
      requireSignedBody(verified);
      const receiver = holdItem(streams.receiver, verified.header, verified.id);
      await saveStreams(tx, node.node_id, { ...streams, receiver });
      await storeHeld(tx, node.node_id, verified.id, carrier);
      return { outcome: "held", code: null, reached: [] };
    }
    case "refuse":
      return refuse(core, tx, node, { verified, code: judgement.code, quarantine: judgement.quarantine });
    case "apply":
      return applyAll(core, tx, node, { verified, streams });
  }
}

/** What the node holds, by its signed header, that this store does not know any more; null where the store has lost nothing. */
async function lostBy(
  core: VaultCore,
  tx: VaultTransaction,
  { header, sender }: { header: BundleHeader; sender: SenderState },
): Promise<string | null> {
  if (headerHeard(sender, header).outcome === "ahead") return "it holds bundles that this vault never issued";
  // After a restore the node's anchor is that of the lost log until it has applied a bundle of the new epoch.
  if (header.provenHead === null || sender.acknowledged?.epoch !== sender.epoch) return null;
  return (await core.log.hasHad(tx, header.provenHead)) ? null : "it holds proof of leaves that this vault's audit log lost";
}

async function verify(core: VaultCore, tx: VaultTransaction, carrier: Uint8Array): Promise<VerifiedBundle> {
  const trust = await core.trust.read(tx);
  // The statements that a report brings are our own or somebody's attempt to teach the vault: it learns from nobody.
  return verifyBundle(carrier, { direction: direction.up, trust, recipient: vaultMailbox(core) });
}

async function nodeOf(tx: VaultTransaction, verified: VerifiedBundle): Promise<NodeRow> {
  const nodeId = verified.signerNode ?? new Uint8Array(0);
  const node = await tx.selectFrom("nodes").selectAll().where("node_id", "=", nodeId).executeTakeFirst();
  // Who was replaced is revoked too, and does not come this far: what is left is the vault's own key.
  if (node === undefined || node.state === "replaced") throw new IngestError("INGEST_UNEXPECTED", "a report of no node");
  return node;
}

/** Applies the report, and those that had waited for it. */
async function applyAll(
  core: VaultCore,
  tx: VaultTransaction,
  first: NodeRow,
  start: { verified: VerifiedBundle; streams: NodeStreams },
): Promise<Ingested> {
  let { verified, streams } = start;
  let node = first;
  let answerDue = false;
  /** An order's end may be what a fleet rotation waits for. */
  let ended = false;
  const accounts: Uint8Array[] = [];
  for (;;) {
    const opened = openVerified(verified, [core.keys.identity.sealing]);
    applyBody(emptyState, opened);
    const applied = itemApplied(streams.receiver, verified.header, verified.id, stateDigest(emptyState));
    const heard = headerHeard(streams.sender, verified.header);
    for (const item of heard.settled) await dropFromOutbox(tx, node.node_id, item);
    for (const item of [...applied.dropped, { id: verified.id }]) await removeHeld(tx, node.node_id, item.id);
    streams = { ...streams, receiver: applied.receiver, sender: heard.sender };
    await saveStreams(tx, node.node_id, streams);
    node = await noteHeard(core, tx, node, { verified, opened, ack: heard.outcome });
    await ingestFacts(core, tx, node, opened.facts);
    accounts.push(...accountsOf(opened.facts));
    answerDue ||= needsAnswer(streams, opened);
    ended ||= opened.facts.some(({ type }) => type === factType["order-outcome"]);
    const next = applied.next === null ? null : await heldCarrier(tx, node.node_id, applied.next.id);
    if (next === null) break;
    verified = await verify(core, tx, next);
  }
  const ordered = ended ? await advanceFleets(await registryOf(core, tx), tx) : [];
  // What a gateway holds decides what the edges of every zone may get.
  const everywhere = node.role === nodeRole.gateway || [...ordered].some((zone) => zone !== node.zone);
  const reached = await exportNodes(core, tx, { zone: everywhere ? null : node.zone, accounts });
  const answered = reached.some((id) => toHex(id) === toHex(node.node_id));
  if (!answered && answerDue && (await issueBundle(core, tx, node, { always: true, accounts: [] })) !== null)
    reached.push(node.node_id);
  return { outcome: "applied", code: null, reached };
}

/**
 * A report that only acknowledges is not answered: two nodes would thank each other for ever. Facts wait for our acknowledgement, a
 * nonce not answered yet for its answer, a wish for its snapshot.
 */
function needsAnswer({ sender, answered }: NodeStreams, body: BundleBody): boolean {
  const [newest] = sender.heardNonces;
  const unanswered = newest !== undefined && (answered === null || toHex(newest) !== toHex(answered));
  const says = body.facts.some((fact) => fact.type !== factType.audit);
  return says || body.escrow !== null || unanswered || sender.snapshotWanted;
}

/** What header and body say about the node itself; a node that contradicts itself is held. */
async function noteHeard(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  report: { verified: VerifiedBundle; opened: BundleBody; ack: ReturnType<typeof headerHeard>["outcome"] },
): Promise<NodeRow> {
  const { verified, opened, ack } = report;
  const { header } = verified;
  const joinCounter = header.boot?.joinCounter ?? 0;
  const bootCounter = header.boot?.bootCounter ?? 0;
  await auditIngest(core, tx, node, { header, opened });
  const reached = { last_heard_at: core.clock.wallMs(), join_counter: joinCounter, boot_counter: bootCounter };
  if (opened.escrow !== null) {
    await storeEscrow(tx, { nodeId: node.node_id, verified, escrow: opened.escrow, nowMs: core.clock.wallMs() });
  }
  const told = { head: header.auditHead, proof: opened.consistencyProof, ours: header.provenHead };
  const forkedLog = await core.log.heard(tx, node.node_id, told);
  const wentBack = joinCounter < node.join_counter || (joinCounter === node.join_counter && bootCounter < node.boot_counter);
  if (node.state === "active") {
    const hold = (code: string, subject: string) => holdNode(core, tx, node, { code, subject, joinCounter });
    if (wentBack) await hold("INGEST_CLONE", "its counters went back");
    else if (forkedLog) await hold("INGEST_LOG_FORK", "its audit log lost or changed leaves");
    else if (ack === "fork") await hold("INGEST_CLONE", "it acknowledges another bundle than the one issued under that number");
  }
  if (!wentBack) await tx.updateTable("nodes").set(reached).where("node_id", "=", node.node_id).execute();
  return tx.selectFrom("nodes").selectAll().where("node_id", "=", node.node_id).executeTakeFirstOrThrow();
}

async function refuse(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  refused: { verified: VerifiedBundle; code: string; quarantine: boolean },
): Promise<Ingested> {
  const { verified, code, quarantine } = refused;
  const { vaultEpoch: epoch, seq: sequence, boot } = verified.header;
  await core.log.append(tx, {
    action: quarantine ? "stream.fork" : "report.refuse",
    actor: { kind: "node", id: nodeIdText(node.node_id) },
    subject: { kind: "stream", id: nodeIdText(node.node_id) },
    outcome: "denied",
    code,
    details: { epoch, sequence, id: toHex(verified.id) },
  });
  if (quarantine) {
    if (node.state === "active") {
      await holdNode(core, tx, node, {
        code,
        subject: "its reports contradict each other",
        joinCounter: boot?.joinCounter ?? 0,
      });
    }
    return { outcome: "refused", code, reached: [] };
  }
  // The node must send a snapshot that answers our nonce: our next header tells it so, where it has not been told already.
  const streams = await lockStreams(tx, node.node_id);
  const heard = headerHeard(streams.sender, { ...verified.header, ack: streams.sender.acknowledged });
  const isNew =
    heard.sender.heardNonces[0] !== undefined &&
    toHex(heard.sender.heardNonces[0]) !== toHex(streams.answered ?? new Uint8Array(0));
  await saveStreams(tx, node.node_id, { ...streams, receiver: dropHeld(streams.receiver, verified.id), sender: heard.sender });
  const issued = isNew ? await issueBundle(core, tx, node, { always: true, accounts: [] }) : null;
  return { outcome: "refused", code, reached: issued === null ? [] : [node.node_id] };
}

async function auditIngest(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  { header, opened }: { header: BundleHeader; opened: BundleBody },
): Promise<void> {
  await core.log.append(tx, {
    action: "report.ingest",
    actor: { kind: "node", id: nodeIdText(node.node_id) },
    subject: { kind: "stream", id: nodeIdText(node.node_id) },
    outcome: "ok",
    details: {
      epoch: header.vaultEpoch,
      sequence: header.seq,
      kind: opened.baseDigest === null ? "snapshot" : "delta",
      facts: opened.facts.length,
    },
  });
}
