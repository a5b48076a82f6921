import { hash } from "node:crypto";
import { concat, toHex, u64be, utf8 } from "../../protocol/base/index.ts";
import { compareIndex, type DesiredEntry, type EntryMap, entryKey, type VersionIndex } from "../../protocol/bundle/index.ts";
import {
  type Content,
  type CredentialRole,
  encodeContent,
  type OrderAction,
  parsePath,
  parsePattern,
  patternMatches,
  type RotatePolicy,
} from "../../protocol/content/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { credentialVersions, fingerprintKeyOf, type RegistryContext } from "../registry/index.ts";
import type { AccountRow, NodeRow, VaultTransaction } from "../store/index.ts";

interface ApplicationGrants {
  readonly entryId: Uint8Array;
  readonly name: string;
  readonly tokenHash: Uint8Array | null;
  readonly uid: number | null;
  readonly disabled: boolean;
  readonly nodeId: Uint8Array | null;
  readonly grants: readonly { readonly text: string; readonly segments: readonly string[] }[];
}

/**
 * Everything that the node shall hold. `exported` is what it was sent already: a value that an edge once got stays in its pool, also
 * where an application on a gateway has begun to read the account since.
 */
export async function desiredEntries(
  context: RegistryContext,
  tx: VaultTransaction,
  node: NodeRow,
  exported: EntryMap,
): Promise<DesiredEntry[]> {
  const applications = await allApplications(tx);
  const entries = await certificateEntry(context, tx, node);
  const accounts = await tx.selectFrom("accounts").selectAll().orderBy("path").execute();
  if (node.role === nodeRole.gateway) {
    const own = applications.filter((each) => each.nodeId === null || same(each.nodeId, node.node_id));
    for (const application of own) entries.push(applicationEntry(context, application, application.grants));
    entries.push(...(await conduits(context, tx, node)));
    for (const account of accounts.filter((each) => isGranted(own, each.path))) {
      entries.push(await accountEntry(context, account), ...(await gatewayValues(context, tx, account)));
    }
    return entries;
  }
  const inZone = accounts.filter((account) => account.path.startsWith(`${node.zone}/`));
  entries.push(...(await devicesOf(context, tx, node.zone)));
  entries.push(...localApplications(context, applications, node, inZone));
  const gateways = await tx
    .selectFrom("nodes")
    .selectAll()
    .where("role", "=", nodeRole.gateway)
    .where("state", "<>", "replaced")
    .execute();
  for (const account of inZone) {
    const readers = gateways.filter((each) => isGranted(servedBy(applications, each), account.path));
    entries.push(await accountEntry(context, account), ...(await edgeValues(context, tx, { account, readers, exported })));
  }
  entries.push(...(await openOrders(context, tx, inZone)));
  return entries;
}

/** Applications, by name, with their grants read once. */
async function allApplications(tx: VaultTransaction): Promise<ApplicationGrants[]> {
  const rows = await tx.selectFrom("applications").selectAll().orderBy("name").execute();
  const grants = await tx.selectFrom("grants").selectAll().orderBy("pattern").execute();
  return rows.map((row) => ({
    entryId: row.app_id,
    name: row.name,
    tokenHash: row.token_hash,
    uid: row.uid,
    disabled: row.disabled === 1,
    nodeId: row.node_id,
    grants: grants
      .filter((grant) => same(grant.app_id, row.app_id))
      .map(({ pattern }) => ({ text: pattern, segments: parsePattern(pattern) })),
  }));
}

function servedBy(applications: readonly ApplicationGrants[], node: NodeRow): ApplicationGrants[] {
  return applications.filter((each) => each.nodeId === null || same(each.nodeId, node.node_id));
}

function isGranted(applications: readonly ApplicationGrants[], path: string): boolean {
  const segments = parsePath(path);
  return applications.some((each) => !each.disabled && each.grants.some((grant) => patternMatches(grant.segments, segments)));
}

/** Applications that an edge serves, with those of their grants only that reach its zone. */
function localApplications(
  context: RegistryContext,
  applications: readonly ApplicationGrants[],
  node: NodeRow,
  accounts: readonly AccountRow[],
): DesiredEntry[] {
  const paths = accounts.map(({ path }) => parsePath(path));
  return servedBy(applications, node).flatMap((each) => {
    const reaching = each.grants.filter(({ segments }) => paths.some((path) => patternMatches(segments, path)));
    return reaching.length === 0 ? [] : [applicationEntry(context, each, reaching)];
  });
}

function applicationEntry(
  context: RegistryContext,
  application: ApplicationGrants,
  grants: ApplicationGrants["grants"],
): DesiredEntry {
  const { name, tokenHash, uid, disabled } = application;
  return entry(context, application.entryId, {
    kind: "application",
    name,
    tokenHash,
    uid,
    grants: grants.map(({ text }) => text),
    disabled,
  });
}

async function accountEntry(context: RegistryContext, account: AccountRow): Promise<DesiredEntry> {
  return entry(context, account.account_id, {
    kind: "account",
    deviceId: account.device_id,
    path: account.path,
    username: account.username,
    rotate: account.rotate as RotatePolicy,
    intervalS: account.interval_s,
    windowless: account.windowless === 1,
    fingerprintKey: fingerprintKeyOf(context, account),
  });
}

async function devicesOf(context: RegistryContext, tx: VaultTransaction, zone: string): Promise<DesiredEntry[]> {
  const devices = await tx.selectFrom("devices").selectAll().where("zone", "=", zone).orderBy("name").execute();
  const names = [...new Set(devices.map(({ model }) => model))];
  const models = names.length === 0 ? [] : await tx.selectFrom("models").selectAll().where("name", "in", names).execute();
  return [
    ...models.flatMap(({ id, name, yaml }) => (yaml === null ? [] : [entry(context, id, { kind: "model", name, yaml })])),
    ...devices.map((device) =>
      entry(context, device.device_id, {
        kind: "device",
        name: device.name,
        zone: device.zone,
        model: device.model,
        host: device.host,
        port: device.port,
        settings: new Map(JSON.parse(device.settings) as [string, string][]),
      }),
    ),
  ];
}

/** The gateway holds every open value as `pending`, ready for the moment when the edge has switched. */
async function gatewayValues(context: RegistryContext, tx: VaultTransaction, account: AccountRow): Promise<DesiredEntry[]> {
  const versions = await credentialVersions(context, tx, account.account_id, ["acknowledged", "issued"]);
  return versions.map((version) => valueEntry(account, version, version.status === "acknowledged" ? "current" : "pending"));
}

/** An edge gets a new value of its pool only when every gateway whose applications read the account holds it. */
async function edgeValues(
  context: RegistryContext,
  tx: VaultTransaction,
  options: { account: AccountRow; readers: readonly NodeRow[]; exported: EntryMap },
): Promise<DesiredEntry[]> {
  const { account, readers, exported } = options;
  const versions = await credentialVersions(context, tx, account.account_id, ["acknowledged", "issued"]);
  const acks = await tx.selectFrom("consumers").selectAll().where("account_id", "=", account.account_id).execute();
  const heldByAll = (index: VersionIndex) =>
    readers.every((reader) =>
      acks.some(
        (ack) => same(ack.node_id, reader.node_id) && compareIndex({ epoch: ack.epoch, number: ack.number }, index) >= 0,
      ),
    );
  return versions.flatMap((version) => {
    const [epoch, number] = version.index;
    const value = valueEntry(account, version, version.status === "acknowledged" ? "current" : "pool");
    const allowed = version.status === "acknowledged" || exported.has(entryKey(value)) || heldByAll({ epoch, number });
    return allowed ? [value] : [];
  });
}

function valueEntry(
  account: AccountRow,
  version: Awaited<ReturnType<typeof credentialVersions>>[number],
  role: CredentialRole,
): DesiredEntry {
  const [epoch, number] = version.index;
  const index = { epoch, number };
  const { fields, fingerprint } = version;
  const content = { kind: "credential", accountId: account.account_id, index, role, fields, fingerprint } as const;
  return { ...encodeContent(content), id: valueEntryId(account.account_id, index), index, authority: null };
}

/** A version keeps its entry from the pool to its end, so that becoming current is one small entry. */
function valueEntryId(accountId: Uint8Array, { epoch, number }: VersionIndex): Uint8Array {
  const name = concat(utf8("tidegate/1 value entry"), accountId, u64be(epoch), u64be(number));
  return new Uint8Array(hash("sha256", name, "buffer")).slice(0, 16);
}

async function openOrders(
  context: RegistryContext,
  tx: VaultTransaction,
  accounts: readonly AccountRow[],
): Promise<DesiredEntry[]> {
  const ids = new Set(accounts.map((account) => toHex(account.account_id)));
  const orders = await tx
    .selectFrom("orders")
    .selectAll()
    .where("state", "=", "open")
    .where("not_after", ">=", Math.floor(context.nowMs() / 1000))
    .execute();
  return orders
    .filter((order) => ids.has(toHex(order.account_id)))
    .map((order) => ({
      ...entry(context, order.order_id, { kind: "order", accountId: order.account_id, action: order.action as OrderAction }),
      authority: { notBefore: order.not_before, notAfter: order.not_after },
    }));
}

async function conduits(context: RegistryContext, tx: VaultTransaction, gateway: NodeRow): Promise<DesiredEntry[]> {
  const nodes = await tx
    .selectFrom("nodes")
    .selectAll()
    .where("via", "=", gateway.node_id)
    .where("state", "<>", "replaced")
    .execute();
  return nodes.map((node) =>
    entry(context, node.node_id.slice(0, 16), { kind: "conduit", nodeId: node.node_id, name: node.name }),
  );
}

/** The chain that the node got when it joined. */
async function certificateEntry(context: RegistryContext, tx: VaultTransaction, node: NodeRow): Promise<DesiredEntry[]> {
  const rows = await tx.selectFrom("certificates").selectAll().where("node_id", "=", node.node_id).orderBy("place").execute();
  if (rows.length === 0) return [];
  return [entry(context, node.node_id.slice(0, 16), { kind: "certificate", chain: rows.map((row) => row.certificate) })];
}

function entry(context: RegistryContext, id: Uint8Array, content: Content): DesiredEntry {
  // Only values are told apart by a version of their own; everything else says what holds now.
  return { ...encodeContent(content), id, index: { epoch: context.vaultEpoch, number: 0 }, authority: null };
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return toHex(a) === toHex(b);
}
