import { nodeIdText } from "../../protocol/keys/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import type { NodeRow, VaultTransaction } from "../store/index.ts";
import type { VaultCore } from "../streams/index.ts";
import { raiseAlarm } from "./alarms.ts";
import { shortText } from "./short-text.ts";

/** No new value, order or answer goes to this node until it is enrolled anew with new keys; what it has, it keeps. */
export async function holdNode(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  reason: { code: string; subject: string; joinCounter: number },
): Promise<void> {
  await tx.updateTable("nodes").set({ state: "held" }).where("node_id", "=", node.node_id).execute();
  await core.log.append(tx, {
    action: "node.clone",
    actor: { kind: "node", id: "vault" },
    subject: { kind: "node", id: nodeIdText(node.node_id) },
    outcome: "failed",
    code: reason.code,
    details: { joinCounter: reason.joinCounter, reason: shortText(reason.subject) },
  });
  await raiseAlarm(core, tx, { node, ...reason });
}

/**
 * The node holds what this vault never issued, so the vault's store went back: nothing more is issued to it, or drawn for its accounts,
 * under this epoch. Returns the node as it is now.
 */
export async function noteBehind(core: VaultCore, tx: VaultTransaction, node: NodeRow, subject: string): Promise<NodeRow> {
  await tx.updateTable("nodes").set({ state: "behind" }).where("node_id", "=", node.node_id).execute();
  if (node.role === nodeRole.edge) {
    await tx
      .updateTable("accounts")
      .set({ unsettled: 1 })
      .where("path", ">=", `${node.zone}/`)
      .where("path", "<", `${node.zone}0`)
      .where("next_number", ">", 0)
      .execute();
  }
  await raiseAlarm(core, tx, { node, code: "INGEST_STORE_BEHIND", subject });
  return { ...node, state: "behind" };
}
