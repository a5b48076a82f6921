import { encodeFact } from "../../protocol/content/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import type { RevokedList } from "../../protocol/trust/index.ts";
import type { Transaction } from "../store/index.ts";
import { everyRow } from "./entry-rows.ts";
import { alarmFact, type NodeParts, nowInSeconds, streamEvent } from "./node-parts.ts";
import { addFacts } from "./outbox.ts";

/** Of nodes that a list left out, by their id, until a later one names them again. */
const table = "revocation-lost";
const code = "NODE_REVOCATION_LOST";

/**
 * Tells the vault of every node that its former list names and its new one leaves out: nobody is ever taken off a list, so the vault
 * was restored from before that revocation. The alarm ends with the list that names the node again.
 */
export function followRevocations(parts: NodeParts, tx: Transaction, before: RevokedList | null, after: RevokedList): void {
  const named = new Map(after.nodes.map(({ nodeId, serial }) => [nodeIdText(nodeId), serial]));
  for (const { nodeId, serial } of before?.nodes ?? []) {
    const subject = nodeIdText(nodeId);
    if ((named.get(subject) ?? -1) >= serial || tx.get(table, nodeId) !== null) continue;
    tx.put(table, nodeId, new Uint8Array());
    addFacts(tx, [alarmFact(parts, code, subject)]);
    parts.audit.append(tx, streamEvent(parts, "alarm.raise", { outcome: "failed", code, details: { reason: subject } }));
    parts.log.error("alarm.raised", { code, reason: subject });
  }
  for (const { id } of [...everyRow(tx, table)]) {
    const subject = nodeIdText(id);
    if (!named.has(subject)) continue;
    tx.delete(table, id);
    addFacts(tx, [encodeFact({ kind: "alarm-end", code, subject, at: nowInSeconds(parts) })]);
    parts.audit.append(tx, streamEvent(parts, "alarm.clear", { details: { reason: code } }));
    parts.log.info("alarm.cleared", { code });
  }
}
