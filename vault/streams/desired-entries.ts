import { sameBytes, toHex } from "../../protocol/base/index.ts";
import type { DesiredEntry, EntryMap } from "../../protocol/bundle/index.ts";
import type { OrderAction, OrderCause } from "../../protocol/content/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { type RegistryContext, windowsOf } from "../registry/index.ts";
import type { AccountRow, NodeRow, VaultTransaction } from "../store/index.ts";
import { accountEntries } from "./desired-accounts.ts";
import { applicationEntries, isGranted, localApplications, servedBy } from "./desired-applications.ts";
import { freshnessEntries } from "./desired-freshness.ts";
import type { ExportSources } from "./export-sources.ts";
import { plainEntry } from "./plain-entry.ts";

export interface Wish {
  readonly node: NodeRow;
  /** What it was sent so far. */
  readonly exported: EntryMap;
  /** Ids of the accounts that changed since, in hexadecimal; null where any may have. */
  readonly changed: ReadonlySet<string> | null;
}

/** Everything that the node shall hold. */
export async function desiredEntries(sources: ExportSources, tx: VaultTransaction, wish: Wish): Promise<DesiredEntry[]> {
  const own = await certificateEntry(sources.context, tx, wish.node);
  const rest = wish.node.role === nodeRole.gateway ? forGateway : forEdge;
  return [...own, ...(await rest(sources, tx, wish))];
}

async function forGateway(
  sources: ExportSources,
  tx: VaultTransaction,
  { node, exported, changed }: Wish,
): Promise<DesiredEntry[]> {
  const { context, nodes } = sources;
  const applications = servedBy(sources.applications, node);
  // A gateway that serves nobody needs no look at thousands of accounts.
  const reads = applications.some(({ grants, leases }) => grants.length + leases.length > 0);
  const accounts = reads ? await tx.selectFrom("accounts").selectAll().orderBy("path").execute() : [];
  const granted = accounts.filter((account) => isGranted(applications, account.path));
  if (changed === null) await forgetHeld(tx, node, granted);
  return [
    ...applications.flatMap((each) => applicationEntries(context, each)),
    ...conduits(context, nodes, node),
    ...(await freshnessEntries(sources, tx, granted)),
    ...(await accountEntries(context, tx, { accounts: granted, exported, changed, readers: null })),
  ];
}

/** What is taken back from a gateway it holds no more: an acknowledgement of before says nothing where it is granted again. */
async function forgetHeld(tx: VaultTransaction, { node_id }: NodeRow, granted: readonly AccountRow[]): Promise<void> {
  const held = await tx.selectFrom("consumers").select("account_id").where("node_id", "=", node_id).execute();
  const ids = new Set(granted.map(({ account_id }) => toHex(account_id)));
  for (const { account_id } of held.filter((each) => !ids.has(toHex(each.account_id))))
    await tx.deleteFrom("consumers").where("node_id", "=", node_id).where("account_id", "=", account_id).execute();
}

async function forEdge(
  sources: ExportSources,
  tx: VaultTransaction,
  { node, exported, changed }: Wish,
): Promise<DesiredEntry[]> {
  const { context, applications: all, nodes } = sources;
  const accounts = await tx
    .selectFrom("accounts")
    .selectAll()
    .where("path", ">=", `${node.zone}/`)
    // The character after the slash: every path of the zone, and no other, lies between.
    .where("path", "<", `${node.zone}0`)
    .orderBy("path")
    .execute();
  const gateways = nodes.filter(({ role }) => role === nodeRole.gateway);
  const served = gateways.map((gateway) => ({ gateway, applications: servedBy(all, gateway) }));
  const readers = (account: AccountRow) =>
    served.filter(({ applications }) => isGranted(applications, account.path)).map(({ gateway }) => gateway);
  const paths = accounts.map(({ path }) => path);
  return [
    ...(await devicesOf(context, tx, node.zone)),
    ...localApplications(context, servedBy(all, node), paths),
    ...(await freshnessEntries(sources, tx, accounts)),
    ...(await accountEntries(context, tx, { accounts, exported, changed, readers })),
    ...(await openOrders(context, tx, accounts)),
  ];
}

async function devicesOf(context: RegistryContext, tx: VaultTransaction, zone: string): Promise<DesiredEntry[]> {
  const devices = await tx.selectFrom("devices").selectAll().where("zone", "=", zone).orderBy("name").execute();
  const names = new Set(devices.map(({ model }) => model));
  const models = await tx.selectFrom("models").selectAll().where("yaml", "is not", null).execute();
  return [
    ...models.flatMap(({ id, name, yaml }) =>
      yaml === null || !names.has(name) ? [] : [plainEntry(context, id, { kind: "model", name, yaml })],
    ),
    ...devices.map((device) =>
      plainEntry(context, device.device_id, {
        kind: "device",
        name: device.name,
        zone: device.zone,
        model: device.model,
        host: device.host,
        port: device.port,
        settings: new Map(JSON.parse(device.settings) as [string, string][]),
        timeZone: device.time_zone,
        windows: windowsOf(device),
        held: device.held === 1,
      }),
    ),
  ];
}

/** Orders that the edge has not ended, also those whose time is over: taken back unheard, they would stay open for ever. */
async function openOrders(
  context: RegistryContext,
  tx: VaultTransaction,
  accounts: readonly AccountRow[],
): Promise<DesiredEntry[]> {
  const orders = await tx.selectFrom("orders").selectAll().where("state", "=", "open").execute();
  if (orders.length === 0) return [];
  const ids = new Set(accounts.map((account) => toHex(account.account_id)));
  return orders
    .filter((order) => ids.has(toHex(order.account_id)))
    .map((order) => ({
      ...plainEntry(context, order.order_id, {
        kind: "order",
        accountId: order.account_id,
        action: order.action as OrderAction,
        cause: order.cause as OrderCause,
        now: order.now === 1,
      }),
      authority: { notBefore: order.not_before, notAfter: order.not_after },
    }));
}

function conduits(context: RegistryContext, nodes: readonly NodeRow[], gateway: NodeRow): DesiredEntry[] {
  return nodes
    .filter(({ via }) => via !== null && sameBytes(via, gateway.node_id))
    .map((node) => plainEntry(context, node.node_id.slice(0, 16), { kind: "conduit", nodeId: node.node_id, name: node.name }));
}

/** The chain that the node got when it joined. */
async function certificateEntry(context: RegistryContext, tx: VaultTransaction, node: NodeRow): Promise<DesiredEntry[]> {
  const rows = await tx.selectFrom("certificates").selectAll().where("node_id", "=", node.node_id).orderBy("place").execute();
  if (rows.length === 0) return [];
  const chain = rows.map((row) => row.certificate);
  return [plainEntry(context, node.node_id.slice(0, 16), { kind: "certificate", chain })];
}
