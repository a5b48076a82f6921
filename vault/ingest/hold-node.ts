import { nodeIdText } from "../../protocol/keys/index.ts";
import type { NodeRow, VaultTransaction } from "../store/index.ts";
import type { VaultCore } from "../streams/index.ts";
import { shortText } from "./short-text.ts";

/** Keeps an alarm where an operator sees it, with its leaf. */
export async function raiseAlarm(
  core: VaultCore,
  tx: VaultTransaction,
  alarm: { node: NodeRow | null; code: string; subject: string },
): Promise<void> {
  await tx
    .insertInto("alarms")
    .values({
      alarm_id: core.random(16),
      node_id: alarm.node?.node_id ?? null,
      code: alarm.code,
      subject: alarm.subject,
      at: core.clock.wallMs(),
    })
    .execute();
  await core.log.append(tx, {
    action: "alarm.raise",
    actor: { kind: "node", id: alarm.node === null ? "vault" : nodeIdText(alarm.node.node_id) },
    subject: { kind: "node", id: alarm.node === null ? "vault" : nodeIdText(alarm.node.node_id) },
    outcome: "failed",
    code: alarm.code,
    details: { reason: shortText(alarm.subject) },
  });
}

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
