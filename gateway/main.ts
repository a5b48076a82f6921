import { setTimeout as pause } from "node:timers/promises";
import { Closing } from "../agent/closing/index.ts";
import { type DataFolder, type RunFile, removeRunFile, writeRunFile } from "../agent/data-folder/index.ts";
import type { LocalApi } from "../agent/local-api/index.ts";
import { createLog, type Log } from "../agent/log/index.ts";
import {
  apiListeners,
  followSpace,
  forwardMember,
  gaugeSpace,
  openMemberApi,
  openMemberFolder,
  spaceCheck,
} from "../agent/member/index.ts";
import { createMetrics, type Metrics } from "../agent/metrics/index.ts";
import { gaugeHop, nodeHealth, vaultSilentS, watchSilence } from "../agent/node/index.ts";
import type { Unlock } from "../agent/seal-key/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import { openSpace, type SpaceWatch } from "../agent/space/index.ts";
import type { Store } from "../agent/store/index.ts";
import { writeAuthorityFile } from "../agent/tls/index.ts";
import type { Dial, Listen, TunnelListener } from "../agent/tunnel/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import type { GatewayConfig } from "./config.ts";
import { type GatewayCore, openCore } from "./core.ts";
import type { GatewayParts } from "./parts.ts";
import { PersonReads } from "./person-reads.ts";

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
    const { reserve, space } = openSpace(gateway.folder, gateway.config.audit, seams);
    const store = await openMemberFolder(gateway.folder, { seams, unlock, closing, reserve });
    closing.push(() => space.close());
    return await open(gateway, { seams, store, ports, closing, space });
  } catch (error) {
    await closing.run();
    throw error;
  }
}

/** Who waited for this gateway reads before what else it loads holds the event loop for a tenth of a second. */
const firstReadersMs = 20;

interface Opening {
  readonly seams: Seams;
  readonly store: Store;
  readonly ports: GatewayPorts;
  readonly closing: Closing;
  readonly space: SpaceWatch;
}

async function open(gateway: GatewayStart, { seams, store, ports, closing, space }: Opening): Promise<RunningGateway> {
  const { folder, config, version } = gateway;
  const log = ports.log ?? createLog({ level: config.log.level, node: "gateway" });
  const metrics = createMetrics();
  const core = openCore({ store, config, seams, log, version, folder: folder.path, closing });
  const { node, audit, credentials, applications } = core.parts;
  gaugeMailboxes(metrics, core.parts);
  gaugeSpace(metrics, space, () => audit.space.dropped);
  const persons = new PersonReads({ store, node, log, accountAt: (path) => credentials.accountAt(path) });
  const api = await openMemberApi({
    folder,
    config: config.api,
    node,
    way: config.way,
    audit,
    source: credentials,
    applications: () => applications.current,
    onPersonRead: (path, version, application) => persons.note(path, version, application),
    health: () => nodeHealth(core.parts, [spaceCheck(space)]),
    metrics,
    seams,
    log,
  });
  closing.push(() => api.close());
  closing.push(watchSilence({ ...core.parts, timers: seams.timers, log }));
  core.serve(api);
  const forwards = await forwardMember({
    ...core.parts,
    targets: config.forward,
    version,
    role: "gateway",
    metrics,
    seams,
    log,
    closing,
  });
  const parts: GatewayParts = { ...core.parts, forwards, space };
  followSpace({ space, node, audit, store, log });
  await pause(firstReadersMs);
  const { openAdmin } = await import("./admin.ts");
  const admin = await openAdmin(folder.adminSocket, { ...parts, ...core.couriers }, { log, seams });
  closing.push(() => admin.close());
  await core.connect(ports);
  writeAuthorityFile(folder.authority, node.identity.tls);
  const listeners = listenersOf(api, parts.edges());
  writeRunFile(folder, { role: "gateway", pid: process.pid, nodeId: nodeIdText(node.nodeId), listeners });
  closing.push(() => removeRunFile(folder));
  log.info("gateway.started", { node: nodeIdText(node.nodeId), version });
  return { parts, listeners, close: () => closing.run() };
}

function gaugeMailboxes(metrics: Metrics, { mailboxes, conduits, edges, node, hop, way }: GatewayCore["parts"]): void {
  gaugeHop(metrics, hop, () => vaultSilentS(node, way));
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
