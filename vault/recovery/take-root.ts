import { toHex } from "../../protocol/base/index.ts";
import { raiseSenderEpoch } from "../../protocol/bundle/index.ts";
import { raiseEpoch } from "../../protocol/rotation/index.ts";
import { applyStatements, newestRoot } from "../../protocol/trust/index.ts";
import { putStatement } from "../identity/index.ts";
import { activeNodes, loadLedger, saveLedger } from "../registry/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { issueBundle, lockStreams, saveStreams, type VaultCore } from "../streams/index.ts";
import { RecoveryError } from "./codes.ts";
import { restoredMark, type Voided, voidOutstanding } from "./void-outstanding.ts";

/** What became of a new root. */
export interface TakenRoot {
  readonly version: number;
  readonly vaultEpoch: number;
  /** Null where the epoch is the same. */
  readonly voided: Voided | null;
  /** Nodes that have it to fetch. */
  readonly reached: readonly Uint8Array[];
}

/**
 * Takes the next root. It goes out to every node; one that raises the vault epoch, as after a restore, moreover voids what was issued
 * under the old one, and each account waits for its edge's escrow before anything more is issued. Throws RECOVERY_ROOT, TRUST_*.
 */
export async function takeRoot(
  core: VaultCore,
  tx: VaultTransaction,
  given: { readonly root: Uint8Array; readonly keepTokens: boolean },
): Promise<TakenRoot> {
  const trust = await core.trust.read(tx);
  const before = newestRoot(trust).document;
  const { id, document } = newestRoot(applyStatements(trust, [given.root]).state);
  if (document.version <= before.version) {
    throw new RecoveryError("RECOVERY_ROOT", `root ${document.version} is held already`, {
      hint: "Make the next one with 'tidegate root rotate'.",
    });
  }
  await putStatement(tx, given.root, core.random);
  const { version, vaultEpoch } = document;
  await core.log.append(tx, {
    action: "root.accept",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "root", id: String(version) },
    outcome: "ok",
    details: { version, id: toHex(id), vaultEpoch },
  });
  const voided = vaultEpoch > before.vaultEpoch ? await raised(core, tx, vaultEpoch, given.keepTokens) : null;
  const reached: Uint8Array[] = [];
  // Beside a bundle a root reaches the nodes without a wire too.
  for (const node of await activeNodes(tx)) {
    if ((await issueBundle(core, tx, node, { always: true, accounts: [] })) !== null) reached.push(node.node_id);
  }
  return { version, vaultEpoch, voided, reached };
}

async function raised(core: VaultCore, tx: VaultTransaction, epoch: number, keepTokens: boolean): Promise<Voided> {
  const restored = await tx.deleteFrom("settings").where("name", "=", restoredMark).executeTakeFirst();
  await raiseStreams(tx, epoch);
  await raiseLedgers(core, tx, epoch);
  const behind = await tx
    .updateTable("nodes")
    .set({ state: "active" })
    .where("state", "=", "behind")
    .returning("node_id")
    .execute();
  // The root that raises the epoch is the operator's word, by keys that the vault does not hold, that its log may go on.
  const wasRestored = restored.numDeletedRows > 0n;
  if (wasRestored || behind.length > 0) await core.log.reopen(tx, wasRestored ? "restored" : "store behind its nodes");
  // A restore voided them when it put the store in place: those that were given since are good.
  const voided = await voidOutstanding(core, tx, { keepTokens: keepTokens || wasRestored });
  await core.log.append(tx, {
    action: "vault.restore",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "node", id: "vault" },
    outcome: "ok",
    details: { vaultEpoch: epoch, tokens: voided.tokens.length, leases: voided.leases, orders: voided.orders },
  });
  return voided;
}

async function raiseStreams(tx: VaultTransaction, epoch: number): Promise<void> {
  await tx.deleteFrom("outbox").execute();
  for (const { node_id } of await tx.selectFrom("streams").select("node_id").execute()) {
    const streams = await lockStreams(tx, node_id);
    if (streams.sender.epoch >= epoch) continue;
    await saveStreams(tx, node_id, { ...streams, sender: raiseSenderEpoch(streams.sender, epoch) });
  }
}

async function raiseLedgers(core: VaultCore, tx: VaultTransaction, epoch: number): Promise<void> {
  for (const account of await tx.selectFrom("accounts").selectAll().execute()) {
    const ledger = await loadLedger(tx, account);
    if (ledger === null) {
      await tx.updateTable("accounts").set({ epoch, next_number: 0 }).where("account_id", "=", account.account_id).execute();
    } else if (ledger.epoch < epoch) {
      await saveLedger(tx, account, { before: ledger, after: raiseEpoch(ledger, epoch), nowMs: core.clock.wallMs() });
    }
  }
}
