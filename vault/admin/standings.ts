import { toHex } from "../../protocol/base/index.ts";
import { decodeReceiver } from "../../protocol/bundle/index.ts";
import { newestRoot, nodeRole } from "../../protocol/trust/index.ts";
import { activeNodes } from "../registry/index.ts";
import type { NodeRow, VaultTransaction } from "../store/index.ts";
import type { VaultCore } from "../streams/index.ts";

/** How one node that was not replaced stands. */
export interface NodeStanding {
  readonly node: NodeRow;
  /** Its row's state; `unsettled` while the vault was restored and does not know yet what it holds. */
  readonly state: string;
  /** Bundles that change something and that the node has not acknowledged. */
  readonly behind: number;
}

/** What a report says of an account at which nothing goes on until a person does something. */
export const codesInNeed: readonly string[] = ["ROTATION_UNKNOWN", "ROTATION_HELD", "DEVICE_IDENTITY_CHANGED"];

/** Every node that was not replaced, by name. */
export async function nodeStandings(core: Pick<VaultCore, "trust">, tx: VaultTransaction): Promise<readonly NodeStanding[]> {
  const nodes = await activeNodes(tx);
  const rows = await tx.selectFrom("streams").select(["node_id", "receiver"]).execute();
  const receivers = new Map(rows.map((row) => [toHex(row.node_id), row.receiver]));
  const waiting = await tx
    .selectFrom("outbox")
    .select((eb) => ["node_id", eb.fn.countAll<number>().as("count")])
    .where("changes", "=", 1)
    .groupBy("node_id")
    .execute();
  const behind = new Map(waiting.map((row) => [toHex(row.node_id), Number(row.count)]));
  const { vaultEpoch } = newestRoot(await core.trust.read(tx)).document;
  const unsettled = await unsettledZones(tx);
  /** The vault was restored, and the node has not answered, or its edge's accounts are not learned yet; a gateway waits for all edges. */
  const waits = (node: NodeRow) => {
    const receiver = receivers.get(toHex(node.node_id));
    if (receiver !== undefined && decodeReceiver(receiver).epoch < vaultEpoch) return true;
    return node.role === nodeRole.edge ? unsettled.has(node.zone) : unsettled.size > 0;
  };
  return nodes.map((node) => ({
    node,
    state: node.state === "active" && waits(node) ? "unsettled" : node.state,
    behind: behind.get(toHex(node.node_id)) ?? 0,
  }));
}

/** Zones whose edge has to tell what it holds before anything is issued to it: the vault was restored. */
async function unsettledZones(tx: VaultTransaction): Promise<ReadonlySet<string>> {
  const rows = await tx.selectFrom("accounts").select("path").where("unsettled", "=", 1).execute();
  return new Set(rows.map(({ path }) => path.split("/")[0] ?? ""));
}

/** Alarms that stand. */
export async function standingAlarms(tx: VaultTransaction): Promise<number> {
  const { count } = await tx
    .selectFrom("alarms")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("resolved_at", "is", null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Accounts to which nothing is issued before their edge has told what it holds. */
export async function unsettledAccounts(tx: VaultTransaction): Promise<number> {
  const { count } = await tx
    .selectFrom("accounts")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("unsettled", "=", 1)
    .executeTakeFirstOrThrow();
  return Number(count);
}
