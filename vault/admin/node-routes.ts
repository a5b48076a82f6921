import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import { missingAt, type Way, ways } from "../../agent/config/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { decodeReceiver, decodeSender } from "../../protocol/bundle/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { newestRoot, nodeRole } from "../../protocol/trust/index.ts";
import { exposureOf, type IssuedCode, issueCode, issueRekeyCode, revokeNode } from "../enrolment/index.ts";
import { poolsGivenOut, setWay, wayOf } from "../registry/index.ts";
import type { NodeRow, VaultTransaction } from "../store/index.ts";
import { type AdminContext, change } from "./admin-context.ts";
import { hostName, line, segment } from "./input-shapes.ts";
import { alarmsPerAnswer, reasonBytes } from "./limits.ts";
import { codesInNeed, nodeStandings, standingAlarms, unsettledAccounts } from "./standings.ts";

const enrolment = z.strictObject({
  name: segment,
  role: z.enum(["gateway", "edge"]),
  zone: segment,
  via: segment.nullable().default(null),
  address: z.string().max(260).nullable().default(null),
  hosts: z.array(hostName).max(16).default([]),
  media: z.boolean().default(false),
});

/** Status, nodes, enrolment codes and alarms. */
export function nodeRoutes(context: AdminContext): AdminRoute[] {
  const { core } = context;
  return [
    adminRoute({
      method: "GET",
      path: "/v1/status",
      handle: () => core.store.read((tx) => status(context, tx)),
    }),
    adminRoute({
      method: "GET",
      path: "/v1/nodes",
      handle: () => core.store.read((tx) => listNodes(context, tx)),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/codes",
      body: enrolment,
      handle: async ({ body }) => {
        const issued = await core.store.transaction((tx) => issueCode(core, tx, body, context.vaultAddress()));
        return codeAnswer(issued);
      },
    }),
    adminRoute({
      method: "POST",
      path: "/v1/nodes/:name/rekey",
      body: z.strictObject({ media: z.boolean().default(false) }).prefault({}),
      handle: async ({ params, body }) => {
        const name = params["name"] ?? "";
        const issued = await core.store.transaction((tx) => issueRekeyCode(core, tx, { name, ...body }));
        return codeAnswer(issued);
      },
    }),
    adminRoute({
      method: "PUT",
      path: "/v1/nodes/:name/way",
      body: z.strictObject({ way: z.enum(ways) }),
      handle: ({ params, body }) => {
        const input = { name: params["name"] ?? "", ...body };
        return change(context, { zone: null, paths: [] }, async (registry, tx) => {
          await setWay(registry, tx, input);
          return { ...input, missing: missingAt(body.way) };
        });
      },
    }),
    adminRoute({
      method: "GET",
      path: "/v1/nodes/:name/exposure",
      handle: ({ params }) => core.store.read((tx) => exposureOf(tx, params["name"] ?? "")),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/nodes/:name/revoke",
      body: z.strictObject({ reason: line(reasonBytes) }),
      handle: async ({ params, body }) => {
        const input = { name: params["name"] ?? "", reason: body.reason };
        const { exposure, reached } = await core.store.transaction((tx) => revokeNode(core, tx, input));
        context.wake(reached);
        return exposure;
      },
    }),
    adminRoute({
      method: "GET",
      path: "/v1/alarms",
      handle: () =>
        core.store.read(async (tx) => {
          const rows = await tx
            .selectFrom("alarms")
            .leftJoin("nodes", "nodes.node_id", "alarms.node_id")
            .select([
              "alarms.code",
              "alarms.subject",
              "alarms.node_id",
              "alarms.at",
              "alarms.count",
              "alarms.resolved_at",
              "nodes.name",
            ])
            .orderBy("alarms.at", "desc")
            .limit(alarmsPerAnswer)
            .execute();
          return rows.map((row) => ({
            code: row.code,
            subject: row.subject,
            node: row.node_id === null ? null : nodeIdText(row.node_id),
            nodeName: row.name,
            atMs: row.at,
            count: row.count,
            resolvedAtMs: row.resolved_at,
          }));
        }),
    }),
  ];
}

function codeAnswer(issued: IssuedCode) {
  const code = issued.text.use((bytes) => Buffer.from(bytes).toString("utf8"));
  issued.text.wipe();
  return { code, codeId: toHex(issued.codeId), expiresAtMs: issued.expiresAtMs };
}

async function status(context: AdminContext, tx: VaultTransaction) {
  const { core } = context;
  const root = newestRoot(await core.trust.read(tx));
  const count = async (table: "devices" | "accounts" | "applications") => {
    const row = await tx
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow();
    return Number(row.count);
  };
  const head = await core.log.head(tx);
  return {
    role: "vault",
    vaultId: toHex(core.vaultId),
    nodeId: nodeIdText(core.keys.identity.nodeId),
    rootVersion: root.document.version,
    vaultEpoch: root.document.vaultEpoch,
    store: core.store.stopped ?? "ok",
    devices: await count("devices"),
    accounts: await count("accounts"),
    applications: await count("applications"),
    /** Alarms that stand. */
    alarms: await standingAlarms(tx),
    /** Accounts to which nothing is issued before their edge has told what it holds. */
    unsettled: await unsettledAccounts(tx),
    /** Accounts at which nothing goes on until a person does something. */
    accountsNeedOperator: await accountsInNeed(tx),
    audit:
      head === null
        ? null
        : {
            serial: head.serial,
            size: head.size,
            root: toHex(head.root),
            eventsSinceAnchor: await core.log.sinceAnchor(tx),
          },
    forward: context.forwards?.() ?? [],
    space: context.space?.() ?? null,
    nodes: await listNodes(context, tx),
  };
}

async function accountsInNeed(tx: VaultTransaction) {
  const rows = await tx
    .selectFrom("accounts")
    .select(["path", "reported_state", "reported_code", "reported_at"])
    .where("reported_code", "in", [...codesInNeed])
    .orderBy("path")
    .execute();
  return rows.map((row) => ({
    path: row.path,
    state: row.reported_state,
    code: row.reported_code,
    reportedAtMs: row.reported_at,
  }));
}

async function listNodes(context: AdminContext, tx: VaultTransaction) {
  const standings = await nodeStandings(context.core, tx);
  const named = new Map(standings.map(({ node }) => [toHex(node.node_id), node.name]));
  const rows = await tx.selectFrom("streams").select(["node_id", "sender", "receiver"]).execute();
  const streams = new Map(rows.map((row) => [toHex(row.node_id), row]));
  const oneWay = await waysOf(
    tx,
    standings.map(({ node }) => node),
  );
  return standings.map(({ node, state, behind }) => ({
    ...describe(context, node),
    ...oneWay(node),
    state,
    behind,
    via: node.via === null ? null : (named.get(toHex(node.via)) ?? null),
    ...streamFacts(streams.get(toHex(node.node_id))),
  }));
}

/** Which ways lead to each node; and of one that reports by stick alone at how many accounts the pool is given out, beyond which none rotates. */
async function waysOf(tx: VaultTransaction, nodes: readonly NodeRow[]) {
  const facts = new Map<NodeRow, { readonly way: Way; readonly poolsGivenOut: number | null }>();
  for (const node of nodes) {
    const way = await wayOf(tx, node.node_id);
    facts.set(node, { way, poolsGivenOut: way === "down" ? await poolsGivenOut(tx, node.zone) : null });
  }
  return (node: NodeRow) => facts.get(node) ?? { way: "both" as Way, poolsGivenOut: null };
}

function describe(context: AdminContext, node: NodeRow) {
  return {
    name: node.name,
    nodeId: nodeIdText(node.node_id),
    role: node.role === nodeRole.gateway ? "gateway" : "edge",
    zone: node.zone,
    address: node.address,
    /** Alarms of this node that were not kept. */
    alarmsDropped: node.alarms_dropped,
    /** Null for a node behind a gateway: the vault sees the gateway's tunnel, not the node's. */
    connected: node.via === null ? context.connected(node.node_id) : null,
    joinedAtMs: node.joined_at,
    lastHeardAtMs: node.last_heard_at,
  };
}

function streamFacts(row: { sender: Uint8Array; receiver: Uint8Array } | undefined) {
  if (row === undefined) return { issued: 0, acknowledged: 0, reports: 0 };
  const sender = decodeSender(row.sender);
  return {
    /** Bundles issued in this epoch, and the last one that the node acknowledged. */
    issued: sender.nextSeq - 1,
    acknowledged: sender.acknowledged?.seq ?? 0,
    reports: decodeReceiver(row.receiver).head?.seq ?? 0,
  };
}
