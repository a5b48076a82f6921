import { type Way, ways } from "../../agent/config/index.ts";
import { toHex, utf8 } from "../../protocol/base/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { nodeNamed } from "./nodes.ts";
import type { RegistryContext } from "./registry-context.ts";

/** Says which ways lead to the node of that name and back. Throws REGISTRY_NOT_FOUND. */
export async function setWay(
  context: RegistryContext,
  tx: VaultTransaction,
  { name, way }: { readonly name: string; readonly way: Way },
): Promise<void> {
  const { node_id } = await nodeNamed(tx, name);
  if ((await wayOf(tx, node_id)) === way) return;
  const row = { name: settingOf(node_id), value: utf8(way) };
  await tx.deleteFrom("settings").where("name", "=", row.name).execute();
  if (way !== "both") await tx.insertInto("settings").values(row).execute();
  await context.audit(tx, {
    action: "node.way",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "node", id: nodeIdText(node_id) },
    outcome: "ok",
    details: { way },
  });
}

/** Which ways lead to a node and back: both unless somebody said otherwise. */
export async function wayOf(tx: VaultTransaction, nodeId: Uint8Array): Promise<Way> {
  const row = await tx.selectFrom("settings").select("value").where("name", "=", settingOf(nodeId)).executeTakeFirst();
  const text = row === undefined ? "both" : Buffer.from(row.value).toString("utf8");
  return ways.find((way) => way === text) ?? "both";
}

/** Accounts of a zone whose values are all given out and of which none was reported: what an edge that cannot report stops at. */
export async function poolsGivenOut(tx: VaultTransaction, zone: string): Promise<number> {
  const rows = await tx
    .selectFrom("credentials")
    .innerJoin("accounts", "accounts.account_id", "credentials.account_id")
    .select((eb) => ["accounts.account_id", eb.fn.countAll<number>().as("count")])
    .where("accounts.path", ">=", `${zone}/`)
    .where("accounts.path", "<", `${zone}0`)
    .where("credentials.status", "=", "issued")
    .groupBy("accounts.account_id")
    .execute();
  return rows.filter(({ count }) => Number(count) >= 2).length;
}

function settingOf(nodeId: Uint8Array): string {
  return `way/${toHex(nodeId)}`;
}
