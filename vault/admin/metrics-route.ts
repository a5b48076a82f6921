import { type AdminRoute, AdminText, adminRoute } from "../../agent/admin/index.ts";
import { gaugeForwarders } from "../../agent/forward/index.ts";
import { gaugeSpace } from "../../agent/member/index.ts";
import { createMetrics, type Metrics } from "../../agent/metrics/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import type { AdminContext } from "./admin-context.ts";
import { codesInNeed, type NodeStanding, nodeStandings, standingAlarms, unsettledAccounts } from "./standings.ts";

/** `GET /metrics`: Prometheus text, of one moment of the store. It works after writing has stopped too. */
export function metricsRoute(context: AdminContext): AdminRoute {
  return adminRoute({
    method: "GET",
    path: "/metrics",
    handle: async () => {
      const metrics = createMetrics();
      gaugeVault(metrics, context, await context.core.store.read((tx) => readFacts(context, tx)));
      const { forwards, space } = context;
      if (forwards !== undefined) gaugeForwarders(metrics, forwards);
      const facts = space?.();
      if (facts !== undefined) gaugeSpace(metrics, { facts }, () => facts.dropped);
      return new AdminText(metrics.contentType, await metrics.text());
    },
  });
}

interface Facts {
  readonly nodes: readonly NodeStanding[];
  readonly pools: readonly Pool[];
  readonly exportsWaiting: number;
  readonly alarms: number;
  readonly unsettled: number;
  readonly inNeed: number;
  /** Entries of the vault's log, and those that nobody else vouches for; 0 where it has none. */
  readonly auditSize: number;
  readonly sinceAnchor: number;
}

/** Accounts of one zone at which as many values were issued that no login has proven. */
interface Pool {
  readonly zone: string;
  readonly issued: number;
  readonly accounts: number;
}

async function readFacts({ core }: AdminContext, tx: VaultTransaction): Promise<Facts> {
  const { count: exportsWaiting } = await tx
    .selectFrom("streams")
    .innerJoin("nodes", "nodes.node_id", "streams.node_id")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("nodes.state", "=", "active")
    .where("put_off", "is not", null)
    .executeTakeFirstOrThrow();
  const { count: inNeed } = await tx
    .selectFrom("accounts")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("reported_code", "in", [...codesInNeed])
    .executeTakeFirstOrThrow();
  const head = await core.log.head(tx);
  return {
    nodes: await nodeStandings(core, tx),
    pools: await readPools(tx),
    exportsWaiting: Number(exportsWaiting),
    alarms: await standingAlarms(tx),
    unsettled: await unsettledAccounts(tx),
    inNeed: Number(inNeed),
    auditSize: head?.size ?? 0,
    sinceAnchor: head === null ? 0 : await core.log.sinceAnchor(tx),
  };
}

async function readPools(tx: VaultTransaction): Promise<readonly Pool[]> {
  const rows = await tx
    .selectFrom((eb) =>
      eb
        .selectFrom("accounts")
        .innerJoin("devices", "devices.device_id", "accounts.device_id")
        .leftJoin("credentials", (join) =>
          join.onRef("credentials.account_id", "=", "accounts.account_id").on("credentials.status", "=", "issued"),
        )
        .select((of) => ["devices.zone", of.fn.count<number>("credentials.number").as("issued")])
        .groupBy(["accounts.account_id", "devices.zone"])
        .as("pools"),
    )
    .select((eb) => ["zone", "issued", eb.fn.countAll<number>().as("accounts")])
    .groupBy(["zone", "issued"])
    .orderBy("zone")
    .orderBy("issued")
    .execute();
  return rows.map(({ zone, issued, accounts }) => ({ zone, issued: Number(issued), accounts: Number(accounts) }));
}

function gaugeVault(metrics: Metrics, { core, connected }: AdminContext, facts: Facts): void {
  gaugeNodes(metrics, facts.nodes, { nowMs: core.clock.wallMs(), connected });
  metrics.family({
    kind: "Gauge",
    name: "pool_accounts",
    help: "Accounts of a zone by how many values were issued to them that no login has proven.",
    labels: ["zone", "issued"],
    read: () => facts.pools.map(({ zone, issued, accounts }) => ({ labels: { zone, issued: `${issued}` }, value: accounts })),
  });
  metrics.gauge("exports_waiting", "Nodes with changes that are not issued to them yet.", () => facts.exportsWaiting);
  metrics.gauge("alarms", "Alarms that stand.", () => facts.alarms);
  metrics.gauge("accounts_unsettled", "Accounts to which nothing is issued until their edge has told what it holds.", () => {
    return facts.unsettled;
  });
  metrics.gauge(
    "accounts_need_operator",
    "Accounts at which nothing goes on until a person does something.",
    () => facts.inNeed,
  );
  metrics.gauge("audit_entries", "Entries of the vault's audit log.", () => facts.auditSize);
  metrics.gauge("audit_events_since_anchor", "Audit entries that no other party vouches for yet.", () => facts.sinceAnchor);
  metrics.gauge("store_stopped", "1 after a failure of the disk has stopped writing; status has its code.", () =>
    core.store.stopped === null ? 0 : 1,
  );
}

function gaugeNodes(
  metrics: Metrics,
  nodes: readonly NodeStanding[],
  { nowMs, connected }: { readonly nowMs: number } & Pick<AdminContext, "connected">,
): void {
  const counts = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const { node, state } of nodes) {
    const role = node.role === nodeRole.gateway ? "gateway" : "edge";
    counts.set(`${role} ${state}`, { labels: { role, state }, value: (counts.get(`${role} ${state}`)?.value ?? 0) + 1 });
  }
  metrics.family({
    kind: "Gauge",
    name: "nodes",
    help: "Nodes by state.",
    labels: ["role", "state"],
    read: () => counts.values(),
  });
  const each = (of: readonly NodeStanding[], value: (standing: NodeStanding) => number) => () =>
    of.map((standing) => ({ labels: { node: standing.node.name }, value: value(standing) }));
  metrics.family({
    kind: "Gauge",
    name: "node_silent_seconds",
    help: "Since a node's last report; -1 where it never sent one.",
    labels: ["node"],
    read: each(nodes, ({ node }) => (node.last_heard_at === null ? -1 : Math.max(0, nowMs - node.last_heard_at) / 1000)),
  });
  metrics.family({
    kind: "Gauge",
    name: "node_behind",
    help: "Bundles that change something and that a node has not acknowledged.",
    labels: ["node"],
    read: each(nodes, ({ behind }) => behind),
  });
  metrics.family({
    kind: "Gauge",
    name: "node_connected",
    help: "1 while a node that dials the vault has a session with it.",
    labels: ["node"],
    read: each(
      nodes.filter(({ node }) => node.via === null),
      ({ node }) => (connected(node.node_id) ? 1 : 0),
    ),
  });
}
