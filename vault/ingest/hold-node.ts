import { nodeIdText } from "../../protocol/keys/index.ts";
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
