import { nodeRole } from "../../protocol/trust/index.ts";
import type { AccountRow, OrderRow, VaultTransaction } from "../store/index.ts";

/** Alarms at which nothing is issued to a node before somebody has looked. */
const holding: readonly string[] = ["INGEST_CLONE", "INGEST_LOG_FORK", "INGEST_STORE_BEHIND", "LEDGER_FORK"];

/**
 * The code for which nothing comes of an open order before a person does something, by what the vault knows; null where it may go on by
 * itself. The order waits for that all the same.
 */
export async function standstillOf(tx: VaultTransaction, order: OrderRow): Promise<string | null> {
  if (order.state !== "open") return null;
  const account = await tx
    .selectFrom("accounts")
    .selectAll()
    .where("account_id", "=", order.account_id)
    .executeTakeFirstOrThrow();
  const held = await holdOfEdge(tx, account);
  if (held !== null) return held;
  if (account.unsettled === 1) return "ROTATION_ESCROW_DUE";
  // To have another account set the password is the way out of it.
  if (account.reported_state !== "UNKNOWN" || order.action === "reconcile") return null;
  return (await wasSetSince(tx, account)) ? null : "ROTATION_UNKNOWN";
}

async function holdOfEdge(tx: VaultTransaction, account: AccountRow): Promise<string | null> {
  const [zone = ""] = account.path.split("/");
  const alarm = await tx
    .selectFrom("nodes")
    .innerJoin("alarms", "alarms.node_id", "nodes.node_id")
    .select("alarms.code")
    .where("nodes.role", "=", nodeRole.edge)
    .where("nodes.zone", "=", zone)
    .where("nodes.state", "in", ["held", "behind"])
    .where("alarms.code", "in", [...holding])
    .where("alarms.resolved_at", "is", null)
    .orderBy("alarms.at", "desc")
    .executeTakeFirst();
  return alarm?.code ?? null;
}

/** A person has given a password since the edge knew none: it proves that one, and goes on. */
async function wasSetSince(tx: VaultTransaction, account: AccountRow): Promise<boolean> {
  const current = await tx
    .selectFrom("credentials")
    .select(["created_at", "status_at"])
    .where("account_id", "=", account.account_id)
    .where("status", "=", "acknowledged")
    .executeTakeFirst();
  return current !== undefined && (current.status_at ?? current.created_at) >= (account.reported_at ?? 0);
}
