import { raiseSenderEpoch } from "../../protocol/bundle/index.ts";
import { raiseEpoch } from "../../protocol/rotation/index.ts";
import { applyStatements, newestRoot } from "../../protocol/trust/index.ts";
import { putStatement } from "../identity/index.ts";
import { loadLedger, saveLedger } from "../registry/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { lockStreams, saveStreams, type VaultCore } from "../streams/index.ts";
import { RecoveryError } from "./codes.ts";

/**
 * Takes a root with a higher vault epoch, after the store came back from a backup: what was issued under the old one is void, and each
 * account waits for its edge's escrow before anything more is issued. Returns the epoch. Throws RECOVERY_ROOT, TRUST_*.
 */
export async function raiseVaultEpoch(core: VaultCore, tx: VaultTransaction, root: Uint8Array): Promise<number> {
  const trust = await core.trust.read(tx);
  const before = newestRoot(trust).document.vaultEpoch;
  const epoch = newestRoot(applyStatements(trust, [root]).state).document.vaultEpoch;
  if (epoch <= before) {
    throw new RecoveryError("RECOVERY_ROOT", `the root does not raise the vault epoch ${before}`, {
      hint: "Make one with 'tidegate vault raise-epoch'.",
    });
  }
  await putStatement(tx, root, core.random);
  await raiseStreams(tx, epoch);
  await raiseLedgers(core, tx, epoch);
  const nowMs = core.clock.wallMs();
  await tx.updateTable("nodes").set({ state: "active" }).where("state", "=", "behind").execute();
  // A code that was given out before may have been used after the backup.
  await tx.updateTable("codes").set({ burned_at: nowMs }).where("burned_at", "is", null).execute();
  await core.log.append(tx, {
    action: "vault.restore",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "node", id: "vault" },
    outcome: "ok",
    details: { vaultEpoch: epoch },
  });
  return epoch;
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
