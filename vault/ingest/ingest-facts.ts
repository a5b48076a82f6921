import { TidegateError } from "../../protocol/base/index.ts";
import type { BundleBody } from "../../protocol/bundle/index.ts";
import { contentLimits, type FactContent, readFact, rotateOnBit } from "../../protocol/content/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { giveOrder } from "../registry/index.ts";
import type { NodeRow, VaultTransaction } from "../store/index.ts";
import { registryOf, type VaultCore } from "../streams/index.ts";
import { accountOfNode } from "./account-of-node.ts";
import { alarmKey, endAlarm, takeAlarm } from "./alarms.ts";
import { type FactOf, ingestRotation } from "./ingest-rotation.ts";
import { orderAfterReadS } from "./limits.ts";
import { noteAlarm } from "./reported-state.ts";
import { shortText } from "./short-text.ts";

/** Ids of the accounts that these facts are about. */
export function accountsOf(facts: BundleBody["facts"]): Uint8Array[] {
  return facts.flatMap((fact) => {
    const read = readFact(fact);
    return "content" in read && "accountId" in read.content ? [read.content.accountId] : [];
  });
}

/**
 * Takes a report's facts in. A fact about what the node has no business with, or of a later version, changes nothing and is an alarm:
 * the others count.
 */
export async function ingestFacts(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  facts: BundleBody["facts"],
): Promise<void> {
  const told = new Set<string>();
  for (const fact of facts) {
    const read = readFact(fact);
    if ("inert" in read) await takeAlarm(core, tx, { node, code: read.inert, subject: `fact of type ${fact.type}` });
    else await ingestFact(core, tx, node, { fact: read.content, told });
  }
}

/** `told` collects which alarms the report's rotations are about: an edge sends each of these beside its rotation once more. */
async function ingestFact(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  { fact, told }: { fact: FactContent; told: Set<string> },
): Promise<void> {
  switch (fact.kind) {
    case "rotation":
      return ingestRotation(core, tx, node, { fact, told });
    case "consumer-ack":
      return ingestConsumerAck(tx, node, fact);
    case "order-outcome":
      return ingestOrder(core, tx, node, fact);
    case "person-read":
      return ingestPersonRead(core, tx, node, fact);
    case "identity":
      return ingestIdentity(core, tx, node, fact);
    case "alarm":
      return ingestAlarm(core, tx, node, { fact, told });
    case "alarm-end":
      return endAlarm(core, tx, { node, code: codeOf(fact), subject: fact.subject });
    case "inert":
      return takeAlarm(core, tx, { node, code: codeOf(fact), subject: `entry of type ${fact.type} is of no use there` });
    case "audit":
      // The header's own head, which is signed with a proof, says more.
      return;
  }
}

/** The code that a node gave; what no leaf takes as a code must not make a whole report refused, again and again. */
function codeOf({ code }: FactOf<"alarm" | "alarm-end" | "inert">): string {
  return /^[A-Z][A-Z0-9_]*$/.test(code) ? code : "CONTENT_MALFORMED";
}

async function ingestAlarm(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  { fact, told }: { fact: FactOf<"alarm">; told: ReadonlySet<string> },
): Promise<void> {
  const alarm = { code: codeOf(fact), subject: fact.subject };
  if (told.has(alarmKey(alarm))) return;
  if (node.role === nodeRole.edge) await noteAlarm(tx, node, alarm, core.clock.wallMs());
  await takeAlarm(core, tx, { node, ...alarm });
}

async function ingestConsumerAck(tx: VaultTransaction, node: NodeRow, fact: FactOf<"consumer-ack">): Promise<void> {
  if (node.role !== nodeRole.gateway) return;
  const { epoch, number } = fact.index;
  const issued = await tx
    .selectFrom("credentials")
    .select("number")
    .where("account_id", "=", fact.accountId)
    .where("epoch", "=", epoch)
    .where("number", "=", number)
    .executeTakeFirst();
  if (issued === undefined) return;
  await tx
    .insertInto("consumers")
    .values({ account_id: fact.accountId, node_id: node.node_id, epoch, number })
    .onConflict((conflict) =>
      conflict
        .columns(["account_id", "node_id"])
        .doUpdateSet({ epoch, number })
        // What a gateway once held it holds: an older acknowledgement that comes late takes nothing back.
        .where((eb) =>
          eb.or([
            eb("consumers.epoch", "<", epoch),
            eb.and([eb("consumers.epoch", "=", epoch), eb("consumers.number", "<", number)]),
          ]),
        ),
    )
    .execute();
}

/** A gateway's person read what is in use: it is rotated a while later, unless a rotation is ordered already. */
async function ingestPersonRead(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  { accountId, index }: FactOf<"person-read">,
): Promise<void> {
  if (node.role !== nodeRole.gateway) return;
  const read = await tx
    .selectFrom("accounts")
    .innerJoin("credentials", "credentials.account_id", "accounts.account_id")
    .select(["accounts.path", "accounts.rotate", "accounts.rotate_on"])
    .where("accounts.account_id", "=", accountId)
    .where("credentials.epoch", "=", index.epoch)
    .where("credentials.number", "=", index.number)
    .where("credentials.status", "=", "acknowledged")
    .executeTakeFirst();
  if (read === undefined || read.rotate === "never" || (read.rotate_on & rotateOnBit.personRead) === 0) return;
  const afterS = contentLimits.personReadGraceS;
  const ordered = await tx
    .selectFrom("orders")
    .select("order_id")
    .where("account_id", "=", accountId)
    .where("action", "=", "rotate")
    .where("state", "=", "open")
    .where("not_before", "<=", Math.floor(core.clock.wallMs() / 1000) + afterS)
    .where("not_after", ">=", Math.floor(core.clock.wallMs() / 1000))
    .executeTakeFirst();
  if (ordered !== undefined) return;
  const order = { path: read.path, action: "rotate", cause: "person-read", afterS, withinS: orderAfterReadS } as const;
  try {
    await giveOrder(await registryOf(core, tx), tx, order);
  } catch (error) {
    // No edge is there to carry it out: the next read asks again.
    if (!(error instanceof TidegateError) || error.fault !== "operator") throw error;
  }
}

async function ingestOrder(core: VaultCore, tx: VaultTransaction, node: NodeRow, fact: FactOf<"order-outcome">): Promise<void> {
  const order = await tx.selectFrom("orders").selectAll().where("order_id", "=", fact.orderId).executeTakeFirst();
  // What was taken back too late was carried out all the same.
  if (order === undefined || (order.state !== "open" && order.outcome !== "withdrawn")) return;
  if ((await accountOfNode(tx, node, order.account_id)) === null) return;
  await tx
    .updateTable("orders")
    .set({ state: "done", outcome: fact.outcome, code: fact.code, finished_at: core.clock.wallMs() })
    .where("order_id", "=", fact.orderId)
    .execute();
}

async function ingestIdentity(core: VaultCore, tx: VaultTransaction, node: NodeRow, fact: FactOf<"identity">): Promise<void> {
  const changed = await tx
    .updateTable("devices")
    .set({ identity: fact.identity })
    .where("device_id", "=", fact.deviceId)
    .where("zone", "=", node.role === nodeRole.edge ? node.zone : "")
    .returning("name")
    .executeTakeFirst();
  if (changed === undefined) return;
  await core.log.append(tx, {
    action: "device.identify",
    actor: { kind: "node", id: node.name },
    subject: { kind: "device", id: `${node.zone}/${changed.name}` },
    outcome: "ok",
    details: { identity: shortText(fact.identity) },
  });
}
