import { setImmediate as turn } from "node:timers/promises";
import { Closing } from "../agent/closing/index.ts";
import { type DataFolder, removeRunFile, writeRunFile } from "../agent/data-folder/index.ts";
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
import { createMetrics } from "../agent/metrics/index.ts";
import { gaugeHop, type Hop, nodeHealth, vaultSilentS, watchSilence } from "../agent/node/index.ts";
import { routeOf } from "../agent/proxy/index.ts";
import type { Unlock } from "../agent/seal-key/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import { openSpace, type SpaceWatch } from "../agent/space/index.ts";
import { writeAuthorityFile } from "../agent/tls/index.ts";
import type { Dial, DialledTunnel } from "../agent/tunnel/index.ts";
import { createAdapterHost } from "../firmware-adapters/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import type { EdgeConfig } from "./config.ts";
import { beginCore, type CoreOptions, type OpeningCore, quietly } from "./core.ts";
import type { EdgeParts } from "./parts.ts";

/** What an edge is started with. */
export interface EdgeStart {
  readonly folder: DataFolder;
  /** `tidegate.yaml`, checked. */
  readonly config: EdgeConfig;
  /** Of Tidegate. */
  readonly version: string;
}

/** The ways out of the process; real ones unless given. */
export interface EdgePorts {
  readonly dial?: Dial;
  readonly adapters?: CoreOptions["adapters"];
  readonly log?: Log;
}

/** A running edge. */
export interface RunningEdge {
  readonly parts: EdgeParts;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts an edge that has joined: reads are served before anything is dialled. Throws DATA_LOCKED, SEAL_KEY_*, STORE_*, NODE_*,
 * API_LISTEN_*.
 */
export async function start(edge: EdgeStart, seams: Seams, unlock: Unlock, ports: EdgePorts = {}): Promise<RunningEdge> {
  const closing = new Closing();
  try {
    const { folder, config } = edge;
    const { reserve, space } = openSpace(folder, config.audit, seams);
    const store = await openMemberFolder(folder, { seams, unlock, closing, reserve });
    closing.push(() => space.close());
    const log = ports.log ?? createLog({ level: config.log.level, node: "edge" });
    const adapters = ports.adapters ?? createAdapterHost({ timers: seams.timers });
    const opening = beginCore({
      store,
      config,
      seams,
      log,
      adapters,
      version: edge.version,
      folder: folder.path,
      spaceLeft: () => space.hasRoom(),
      closing,
    });
    return await serve(edge, opening, { seams, log, ports, closing, space });
  } catch (error) {
    await closing.run();
    throw error;
  }
}

interface Serving {
  readonly seams: Seams;
  readonly log: Log;
  readonly ports: EdgePorts;
  readonly closing: Closing;
  readonly space: SpaceWatch;
}

/** Sockets, the local one first: an edge whose gateway is gone serves all the same, and its accounts are read while it serves. */
async function serve(
  edge: EdgeStart,
  opening: OpeningCore,
  { seams, log, ports, closing, space }: Serving,
): Promise<RunningEdge> {
  const { folder } = edge;
  const { node } = opening;
  let tunnel: DialledTunnel | null = null;
  const hop: Hop = { to: "gateway", status: () => tunnel?.status() ?? null, nowMs: () => seams.clock.sinceBootMs() };
  const metrics = createMetrics();
  gaugeHop(metrics, hop, () => vaultSilentS(node, opening.way));
  gaugeSpace(metrics, space, () => opening.audit.space.dropped);
  const api = await openMemberApi({
    folder,
    config: edge.config.api,
    node,
    way: opening.way,
    audit: opening.audit,
    source: opening.credentials,
    applications: () => opening.applications.current,
    onPersonRead: (path) => quietly(log, () => opening.finish().personRead(path)),
    health: () => nodeHealth({ ...opening, hop }, [spaceCheck(space)]),
    metrics,
    seams,
    log,
  });
  closing.push(() => api.close());
  closing.push(watchSilence({ ...opening, timers: seams.timers, log }));
  while (opening.step() === null) await turn();
  const core = opening.finish();
  core.serve(api);
  const forwards = await forwardMember({
    ...core,
    targets: edge.config.forward,
    version: edge.version,
    role: "edge",
    metrics,
    seams,
    log,
    closing,
  });
  const parts: EdgeParts = { ...core, hop, forwards, space };
  const { audit, store } = opening;
  followSpace({ space, node, audit, store, log });
  const { openAdmin } = await import("./admin.ts");
  const admin = await openAdmin(folder.adminSocket, parts, { log, seams });
  closing.push(() => admin.close());
  const { openUplink } = await import("./uplink.ts");
  const { notices } = core;
  const { gateway } = edge.config;
  if (gateway !== null) {
    const { address } = gateway;
    const proxy = routeOf(edge.config.proxy, core.store);
    tunnel = openUplink({ node, audit: opening.audit, notices, address, proxy, seams, log, dial: ports.dial ?? null, closing });
  }
  writeAuthorityFile(folder.authority, node.identity.tls);
  writeRunFile(folder, { role: "edge", pid: process.pid, nodeId: nodeIdText(node.nodeId), listeners: apiListeners(api) });
  closing.push(() => removeRunFile(folder));
  log.info("edge.started", { node: nodeIdText(node.nodeId), count: core.engine.accounts.size });
  return { parts, close: () => closing.run() };
}
