import { join } from "node:path";
import { createAdminServer } from "../agent/admin/index.ts";
import { Closing } from "../agent/closing/index.ts";
import { type DataFolder, type RunFile, removeRunFile, writeRunFile } from "../agent/data-folder/index.ts";
import type { LocalApi } from "../agent/local-api/index.ts";
import { createLog, type Log } from "../agent/log/index.ts";
import { apiListeners, openMemberApi, openMemberFolder } from "../agent/member/index.ts";
import { createMetrics, type Metrics } from "../agent/metrics/index.ts";
import { nodeHealth, openNode } from "../agent/node/index.ts";
import type { Unlock } from "../agent/seal-key/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import type { Store } from "../agent/store/index.ts";
import { writeAuthorityFile } from "../agent/tls/index.ts";
import type { Dial, DialledTunnel, Listen, TunnelListener } from "../agent/tunnel/index.ts";
import { TidegateError } from "../protocol/base/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import { adminRoutes } from "./admin-routes.ts";
import { ConduitTable, goneConduits } from "./conduits.ts";
import type { GatewayConfig } from "./config.ts";
import { GatewayCredentials, noteCredentials } from "./credentials.ts";
import { GatewayMailroom } from "./gateway-mailroom.ts";
import { dialVault, dropStrangers, listenForEdges } from "./gateway-tunnels.ts";
import { JoinForward } from "./join-forward.ts";
import { Mailboxes } from "./mailbox/index.ts";
import type { GatewayParts } from "./parts.ts";

/** What a gateway is started with. */
export interface GatewayStart {
  readonly folder: DataFolder;
  /** `tidegate.yaml`, checked. */
  readonly config: GatewayConfig;
  /** Of Tidegate, for the leaf of the start. */
  readonly version: string;
}

/** The ways out of the process; real ones unless given. */
export interface GatewayPorts {
  readonly dial?: Dial;
  readonly listen?: Listen;
  readonly log?: Log;
}

/** A running gateway. */
export interface RunningGateway {
  readonly parts: GatewayParts;
  /** What it listens on, with real ports. */
  readonly listeners: RunFile["listeners"];
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a gateway that has joined: reads are served before the vault is dialled. `run.json` appears when it listens. Throws
 * DATA_LOCKED, SEAL_KEY_*, STORE_*, NODE_*, API_LISTEN, LINK_LISTEN.
 */
export async function start(
  gateway: GatewayStart,
  seams: Seams,
  unlock: Unlock,
  ports: GatewayPorts = {},
): Promise<RunningGateway> {
  const closing = new Closing();
  try {
    const store = await openMemberFolder(gateway.folder, { seams, unlock, closing });
    return await open(gateway, { seams, store, ports, closing });
  } catch (error) {
    await closing.run();
    throw error;
  }
}

interface Opening {
  readonly seams: Seams;
  readonly store: Store;
  readonly ports: GatewayPorts;
  readonly closing: Closing;
}

async function open(gateway: GatewayStart, { seams, store, ports, closing }: Opening): Promise<RunningGateway> {
  const { folder, config } = gateway;
  const log = ports.log ?? createLog({ level: config.log.level, node: "gateway" });
  const metrics = createMetrics();
  const mailboxes = new Mailboxes(store, config.mailboxes.totalMib * 1024 * 1024);
  const running = openNode({
    store,
    seams,
    log,
    hooks: {
      capabilities: ["relay"],
      onApply(tx, change) {
        for (const edge of goneConduits(change)) mailboxes.remove(tx, edge);
        return noteCredentials(tx, change);
      },
    },
    wall: { gapMs: config.clock.gapS * 1000, trusted: config.clock.trusted },
    role: "gateway",
    version: gateway.version,
    auditFolder: join(folder.path, "audit"),
    onStopped: (code) => log.error("audit.stopped", { code }),
  });
  closing.push(() => running.close());
  const { node, audit } = running;
  const credentials = new GatewayCredentials({ node, store, clock: seams.clock });
  const conduits = new ConduitTable(node);

  let vault: DialledTunnel | null = null;
  let edges: TunnelListener | null = null;
  const parts: GatewayParts = {
    node,
    audit,
    store,
    mailboxes,
    credentials,
    conduits,
    staleAfterS: config.staleAfterS,
    vault: () => vault,
    edges: () => edges,
  };
  const wakeVault = () => vault?.wake();
  const joins = new JoinForward({ timers: seams.timers, vaultMailbox: node.vaultMailbox, wake: wakeVault });
  closing.push(() => joins.close());
  const wakeEdge = (edge: Uint8Array) => edges?.wake(edge);
  const mailroom = new GatewayMailroom({ ...parts, joins, log, edges: () => conduits.nodeIds, wakeVault, wakeEdge });
  gaugeMailboxes(metrics, parts);

  const api = await openMemberApi({
    folder,
    config: config.api,
    node,
    audit,
    source: credentials,
    applications: () => credentials.applications,
    health: () => nodeHealth(parts),
    metrics,
    seams,
    log,
  });
  closing.push(() => api.close());
  closing.push(node.onChanged(() => follow(parts, { api, log })));
  const admin = await createAdminServer({ socketPath: folder.adminSocket, routes: adminRoutes(parts), log });
  closing.push(() => admin.close());

  const { dial, listen } = ports;
  const tunnels = {
    node,
    mailroom,
    joins,
    conduits,
    seams,
    log,
    vault: config.vault.address,
    edges: config.edges.listen,
    dial,
    listen,
  };
  if (config.edges.listen !== null) {
    const listener = await listenForEdges(tunnels, config.edges.listen);
    edges = listener;
    closing.push(() => listener.close());
  }
  const tunnel = dialVault(tunnels);
  vault = tunnel;
  closing.push(() => tunnel.close());
  closing.push(node.onOutgoing(wakeVault));

  writeAuthorityFile(folder.authority, node.identity.tls);
  const listeners = listenersOf(api, edges);
  writeRunFile(folder, { role: "gateway", pid: process.pid, nodeId: nodeIdText(node.nodeId), listeners });
  closing.push(() => removeRunFile(folder));
  log.info("gateway.started", { node: nodeIdText(node.nodeId), version: gateway.version });
  return { parts, listeners, close: () => closing.run() };
}

/** The vault changed something: index, applications, who is behind us. */
function follow(parts: GatewayParts, { api, log }: { api: LocalApi; log: Log }): void {
  const { credentials, conduits, mailboxes, node } = parts;
  try {
    credentials.reload();
    api.changed();
    if (conduits.reload().length > 0) mailboxes.recount();
    const listener = parts.edges();
    if (listener !== null) dropStrangers(listener, { node, conduits });
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    log.error("state.unreadable", { error });
  }
}

function gaugeMailboxes(metrics: Metrics, { mailboxes, conduits, edges, node }: GatewayParts): void {
  metrics.gauge("mailbox_bytes", "Bytes that wait in mailboxes.", () => mailboxes.totalBytes);
  metrics.gauge("edges", "Edges behind this gateway.", () => conduits.nodeIds.length);
  metrics.gauge("edges_connected", "Edges with a live tunnel.", () => edges()?.sessions().length ?? 0);
  metrics.gauge(
    "reports_unacknowledged",
    "Own reports that the vault has not acknowledged.",
    () => node.status().unacknowledgedReports,
  );
}

function listenersOf(api: LocalApi, edges: TunnelListener | null): RunFile["listeners"] {
  if (edges === null) return apiListeners(api);
  return { ...apiListeners(api), edges: { address: edges.address.host, port: edges.address.port } };
}
