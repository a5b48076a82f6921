import { nodeIdText } from "../../protocol/keys/index.ts";
import type { NodeRow, VaultTransaction } from "../store/index.ts";
import type { VaultCore } from "../streams/index.ts";
import { alarmsPerNode } from "./limits.ts";
import { shortText } from "./short-text.ts";

/** What is wrong, and who said or showed it; null is the vault itself. */
export interface Alarm {
  readonly node: NodeRow | null;
  readonly code: string;
  readonly subject: string;
}

/** Keeps an alarm where an operator sees it, with its leaf; one that stands already is counted once more and leaves none. */
export async function raiseAlarm(core: VaultCore, tx: VaultTransaction, alarm: Alarm): Promise<void> {
  if (!(await countedOnce(core, tx, alarm))) await keepAlarm(core, tx, alarm);
}

/**
 * As {@link raiseAlarm} for what a node says by itself: it may keep so many. The oldest that ended goes for a new one; where none has
 * ended the new one is dropped and counted, so that who floods the vault cannot wash away how it began.
 */
export async function takeAlarm(core: VaultCore, tx: VaultTransaction, alarm: Alarm & { node: NodeRow }): Promise<void> {
  if (await countedOnce(core, tx, alarm)) return;
  if (await hasRoom(tx, alarm.node)) return keepAlarm(core, tx, alarm);
  await tx
    .updateTable("nodes")
    .set((eb) => ({ alarms_dropped: eb("alarms_dropped", "+", 1) }))
    .where("node_id", "=", alarm.node.node_id)
    .execute();
}

/** Ends what stands about an account, by the node's word or the vault's: a login just proved its value. */
export async function endAlarms(core: VaultCore, tx: VaultTransaction, node: NodeRow, path: string): Promise<void> {
  const ended = await tx
    .updateTable("alarms")
    .set({ resolved_at: core.clock.wallMs() })
    .where("subject", "=", path)
    .where("resolved_at", "is", null)
    .where((eb) => eb.or([eb("node_id", "=", node.node_id), eb("code", "=", "INGEST_UNPROVEN")]))
    .returning("code")
    .execute();
  for (const { code } of ended) await logEnd(core, tx, node, { code, subject: { kind: "account", id: path } });
}

/** What a node alone can know to be over. The others end by a proof: a node that somebody took over must not clear what was seen of it. */
const endedByWord: ReadonlySet<string> = new Set(["AUDIT_SPACE_LOW", "AUDIT_SPACE_SHORT", "NODE_REVOCATION_LOST"]);

/** Ends what a node told and says no longer stands, where its word is enough; of what does not stand nothing is to be said. */
export async function endAlarm(core: VaultCore, tx: VaultTransaction, alarm: Alarm & { node: NodeRow }): Promise<void> {
  const { node, code, subject } = alarm;
  if (!endedByWord.has(code)) return;
  const ended = await tx
    .updateTable("alarms")
    .set({ resolved_at: core.clock.wallMs() })
    .where("node_id", "=", node.node_id)
    .where("code", "=", code)
    .where("subject", "=", subject)
    .where("resolved_at", "is", null)
    .returning("code")
    .execute();
  if (ended.length > 0) await logEnd(core, tx, node, { code, subject: { kind: "node", id: nodeIdText(node.node_id) } });
}

async function logEnd(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  { code, subject }: { code: string; subject: { kind: "account" | "node"; id: string } },
): Promise<void> {
  const actor = { kind: "node", id: nodeIdText(node.node_id) } as const;
  await core.log.append(tx, { action: "alarm.clear", actor, subject, outcome: "ok", details: { reason: code } });
}

async function countedOnce(core: VaultCore, tx: VaultTransaction, { node, code, subject }: Alarm): Promise<boolean> {
  const same = await tx
    .updateTable("alarms")
    .set((eb) => ({ count: eb("count", "+", 1), at: core.clock.wallMs() }))
    .where("node_id", node === null ? "is" : "=", node?.node_id ?? null)
    .where("code", "=", code)
    .where("subject", "=", subject)
    .where("resolved_at", "is", null)
    .returning("alarm_id")
    .executeTakeFirst();
  return same !== undefined;
}

async function keepAlarm(core: VaultCore, tx: VaultTransaction, { node, code, subject }: Alarm): Promise<void> {
  await tx
    .insertInto("alarms")
    .values({
      alarm_id: core.random(16),
      node_id: node?.node_id ?? null,
      code,
      subject,
      at: core.clock.wallMs(),
      count: 1,
      resolved_at: null,
    })
    .execute();
  const self = { kind: "node", id: node === null ? "vault" : nodeIdText(node.node_id) } as const;
  await core.log.append(tx, {
    action: "alarm.raise",
    actor: self,
    subject: self,
    outcome: "failed",
    code,
    details: { reason: shortText(subject) },
  });
}

/** True where the node may keep one more; the oldest that ended makes room. */
async function hasRoom(tx: VaultTransaction, node: NodeRow): Promise<boolean> {
  const { count } = await tx
    .selectFrom("alarms")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("node_id", "=", node.node_id)
    .executeTakeFirstOrThrow();
  if (Number(count) < alarmsPerNode) return true;
  const ended = await tx
    .selectFrom("alarms")
    .select("alarm_id")
    .where("node_id", "=", node.node_id)
    .where("resolved_at", "is not", null)
    .orderBy("resolved_at")
    .executeTakeFirst();
  if (ended === undefined) return false;
  await tx.deleteFrom("alarms").where("alarm_id", "=", ended.alarm_id).execute();
  await tx
    .updateTable("nodes")
    .set((eb) => ({ alarms_dropped: eb("alarms_dropped", "+", 1) }))
    .where("node_id", "=", node.node_id)
    .execute();
  return true;
}

/** What two tellings of one alarm have in common. */
export function alarmKey({ code, subject }: { code: string; subject: string }): string {
  return `${code} ${subject}`;
}
