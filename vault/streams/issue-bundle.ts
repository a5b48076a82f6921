import { toHex } from "../../protocol/base/index.ts";
import {
  buildBundle,
  bundleKind,
  direction,
  type EntryMap,
  emptyBody,
  foldable,
  itemIssued,
  type Plan,
  planDelta,
  planSnapshot,
  type SenderState,
  snapshotDue,
  stateDigest,
  streamFields,
} from "../../protocol/bundle/index.ts";
import { importSealingPublicKey, nodeIdText } from "../../protocol/keys/index.ts";
import { LedgerError } from "../../protocol/rotation/index.ts";
import { memberOf, newestRoot, nodeRole, rootsAbove } from "../../protocol/trust/index.ts";
import { wayOf } from "../registry/index.ts";
import type { NodeRow, VaultTransaction } from "../store/index.ts";
import { desiredEntries } from "./desired-entries.ts";
import { type ExportSources, exportSources } from "./export-sources.ts";
import { noteExposures } from "./exposures.ts";
import { foldBundlesAt, mostRootsBeside } from "./limits.ts";
import { lockStreams, type NodeStreams, saveExported, saveStreams } from "./stream-row.ts";
import type { VaultCore } from "./vault-core.ts";

export interface IssueOptions {
  /** Issue also where nothing changed: a report waits for its acknowledgement, or a nonce for its answer. */
  readonly always?: boolean;
  /** Ids of the accounts that the change is about; null, as where it is absent, where it may be about any. */
  readonly accounts?: readonly Uint8Array[] | null;
  /** It cannot wait: where nothing may be issued, that is an error. */
  readonly answersJoin?: boolean;
  /** Statements that ride beside the bundle. */
  readonly statements?: readonly Uint8Array[];
  /** What the transaction has read for other nodes too. */
  readonly sources?: () => Promise<ExportSources>;
}

/**
 * Brings the node's stream to the desired state: a delta, or a snapshot where one is due, is sealed and put into the outbox with its
 * number, in the caller's transaction. A revoked list that the node was not sent rides beside it, and is something to say by itself.
 * Returns the carrier, or null where there was nothing to say or the node is held.
 */
export async function issueBundle(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  options: IssueOptions = {},
): Promise<Uint8Array | null> {
  if (node.state !== "active") return null;
  const streams = await lockStreams(tx, node.node_id);
  if (await waitsForEscrow(tx, node)) {
    if (options.answersJoin !== true) return null;
    throw new LedgerError("LEDGER_UNSETTLED", `zone ${node.zone} waits for its edge's escrow`);
  }
  const exported = await core.exported.read(core.seal, tx, node.node_id, streams.sender);
  const waiting = { token: streams.putOff, accounts: options.accounts ?? null };
  const about = await core.pace.takeUp(tx, node.node_id, waiting);
  const due = snapshotDue(streams.sender);
  // A node that can never say that it missed one gets the whole state with each change.
  const fold = unfolded(streams.sender) >= foldBundlesAt || (await wayOf(tx, node.node_id)) === "down";
  // A snapshot is made from what the store says, whatever was sent before.
  const accounts = due || fold ? null : about;
  const changed = accounts === null ? null : new Set(accounts.map(toHex));
  const sources = await (options.sources ?? exportSources(core, tx))();
  const desired = await desiredEntries(sources, tx, { node, exported, changed });
  const trust = await core.trust.read(tx);
  const { revoked } = trust;
  const newer = revoked !== null && revoked.list.version > streams.revokedSent;
  const plan = planNext(core, { exported, desired, due, fold, always: options.always === true || newer });
  if (plan === null) return null;
  // What was sent may lie behind this snapshot, and is then not sent any more.
  const list = revoked !== null && (newer || plan.body.baseDigest === null) ? [revoked.envelope] : [];
  const revokedSent = revoked?.list.version ?? 0;
  await saveExported(core.seal, tx, node.node_id, { before: exported, after: plan.entries });
  if (node.role === nodeRole.gateway) await noteExposures(tx, node.node_id, plan.body.entries);
  // Roots that the node, by its own last report, does not hold.
  const roots = options.answersJoin === true ? [] : rootsAbove(trust, streams.receiver.rootVersion, mostRootsBeside);
  const statements = [...roots, ...(options.statements ?? []), ...list];
  core.failpoint("vault.before-issue");
  const carrier = await seal(core, tx, node, { streams: { ...streams, revokedSent }, plan, statements });
  core.failpoint("vault.after-issue");
  return carrier;
}

/** After a restore an edge gets nothing before its escrow was learned, and a gateway nothing before all were: it would serve what is old. */
async function waitsForEscrow(tx: VaultTransaction, node: NodeRow): Promise<boolean> {
  let query = tx.selectFrom("accounts").select("account_id").where("unsettled", "=", 1);
  if (node.role === nodeRole.edge) query = query.where("path", ">=", `${node.zone}/`).where("path", "<", `${node.zone}0`);
  return (await query.limit(1).executeTakeFirst()) !== undefined;
}

/** Bundles that no snapshot has made useless. A node that is away for long must not fill its outbox: then no change at all would be taken. */
function unfolded(sender: SenderState): number {
  return sender.unacknowledged.length - foldable(sender).length;
}

interface Wish {
  readonly exported: EntryMap;
  readonly desired: Parameters<typeof planDelta>[0]["desired"];
  /** The next item must be a snapshot. */
  readonly due: boolean;
  /** The next item, if there is one, shall be a snapshot. */
  readonly fold: boolean;
  readonly always: boolean;
}

function planNext({ random }: VaultCore, { exported, desired, due, fold, always }: Wish): Plan | null {
  if (due) return planSnapshot({ exported, desired, random });
  const delta = planDelta({ exported, desired, random });
  if (fold && (delta !== null || always)) return planSnapshot({ exported: delta?.entries ?? exported, desired, random });
  if (delta !== null || !always) return delta;
  const digest = stateDigest(exported);
  return { entries: exported, body: emptyBody(digest, digest) };
}

async function seal(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  item: { streams: NodeStreams; plan: Plan; statements: readonly Uint8Array[] },
): Promise<Uint8Array> {
  const { streams, plan, statements } = item;
  const { body } = plan;
  const trust = await core.trust.read(tx);
  const root = newestRoot(trust);
  const kind = body.baseDigest === null ? bundleKind.snapshot : bundleKind.delta;
  const now = Math.floor(core.clock.wallMs() / 1000);
  const { sender } = streams;
  await core.log.append(tx, {
    action: "bundle.seal",
    actor: { kind: "node", id: "vault" },
    subject: { kind: "stream", id: nodeIdText(node.node_id) },
    outcome: "ok",
    details: {
      epoch: sender.epoch,
      sequence: sender.nextSeq,
      kind: kind === bundleKind.snapshot ? "snapshot" : "delta",
      entries: body.entries.length,
    },
  });
  const provenHead = await core.log.provenHead(tx, node.node_id);
  const cosignature = provenHead === null ? null : await core.log.cosignature(tx, node.node_id, provenHead);
  const built = buildBundle({
    header: {
      vaultId: core.vaultId,
      direction: direction.down,
      recipient: node.node_id,
      root: { version: root.document.version, id: root.id },
      kind,
      issuedAt: { lo: now, hi: now },
      auditHead: await core.log.head(tx),
      provenHead,
      boot: null,
      ...streamFields(sender, streams.receiver),
    },
    body: { ...body, consistencyProof: await core.log.proofFor(tx, node.node_id), cosignature },
    signer: core.keys.identity.signing,
    recipientKey: importSealingPublicKey(memberOf(trust, node.node_id).sealKey),
    statements,
  });
  const next = itemIssued(sender, built.id, kind);
  await tx
    .insertInto("outbox")
    .values({
      node_id: node.node_id,
      epoch: sender.epoch,
      seq: built.seq,
      id: built.id,
      carrier: built.carrier,
      created_at: core.clock.wallMs(),
      changes: saysSomething(body) ? 1 : 0,
    })
    .execute();
  // What lies behind a snapshot need not be sent any more.
  for (const item of foldable(next)) await dropFromOutbox(tx, node.node_id, item);
  await saveStreams(tx, node.node_id, { ...streams, sender: next, answered: sender.heardNonces[0] ?? null });
  core.exported.keep(node.node_id, next, plan.entries);
  return built.carrier;
}

/** False where no node acknowledges the bundle by itself: it only thanks, or brings a revoked list. */
function saysSomething(body: Plan["body"]): boolean {
  return body.baseDigest === null || body.entries.length + body.removed.length > 0;
}

/** Removes an item that was acknowledged or lies behind a snapshot. */
export async function dropFromOutbox(
  tx: VaultTransaction,
  nodeId: Uint8Array,
  item: { epoch: number; seq: number },
): Promise<void> {
  await tx
    .deleteFrom("outbox")
    .where("node_id", "=", nodeId)
    .where("epoch", "=", item.epoch)
    .where("seq", "=", item.seq)
    .execute();
}
