import { statfsSync } from "node:fs";
import { type DataFolder, lockDataFolder, type RunFile, removeRunFile, writeRunFile } from "../agent/data-folder/index.ts";
import { type ApiListener, type LocalApi, openLocalApi } from "../agent/local-api/index.ts";
import { createLog, type Log } from "../agent/log/index.ts";
import { createMetrics } from "../agent/metrics/index.ts";
import { nodeHealth, openNodeStore } from "../agent/node/index.ts";
import { openSealKey, type Unlock } from "../agent/seal-key/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import { serverTlsOptions, writeAuthorityFile } from "../agent/tls/index.ts";
import type { Dial, DialledTunnel } from "../agent/tunnel/index.ts";
import { createAdapterHost } from "../firmware-adapters/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import { Closing } from "./closing.ts";
import type { EdgeConfig } from "./config.ts";
import { type CoreOptions, type EdgeCore, openCore } from "./core.ts";
import type { EdgeParts } from "./parts.ts";
import { reservedBytes } from "./rotation/index.ts";

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
    const lock = lockDataFolder(folder);
    closing.push(() => lock.release());
    removeRunFile(folder);
    const key = await openSealKey({ path: folder.sealKey, unlock });
    closing.push(() => key.wipe());
    const store = openNodeStore(folder, key, seams);
    closing.push(() => store.close());
    const log = ports.log ?? createLog({ level: config.log.level, node: "edge" });
    const adapters = ports.adapters ?? createAdapterHost({ timers: seams.timers });
    const spaceLeft = () => hasSpace(folder.path);
    const core = openCore({
      store,
      config,
      seams,
      log,
      adapters,
      version: edge.version,
      folder: folder.path,
      spaceLeft,
      closing,
    });
    return await serve(edge, core, { seams, log, ports, closing });
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
}

/** Sockets, the local one first: an edge whose gateway is gone serves all the same. */
async function serve(edge: EdgeStart, core: EdgeCore, { seams, log, ports, closing }: Serving): Promise<RunningEdge> {
  const { folder } = edge;
  const { node } = core;
  let tunnel: DialledTunnel | null = null;
  const parts: EdgeParts = { ...core, tunnel: () => tunnel?.status() ?? null };
  const api = await openApi(edge, parts, { seams, log });
  closing.push(() => api.close());
  core.serve(api);
  const { openAdmin } = await import("./admin.ts");
  const admin = await openAdmin(folder.adminSocket, parts, log);
  closing.push(() => admin.close());
  const { openUplink } = await import("./uplink.ts");
  tunnel = openUplink(node, { address: edge.config.gateway.address, seams, log, dial: ports.dial ?? null });
  closing.push(() => tunnel?.close());
  closing.push(node.onOutgoing(() => tunnel?.wake()));
  writeAuthorityFile(folder.authority, node.identity.tls);
  writeRunFile(folder, { role: "edge", pid: process.pid, nodeId: nodeIdText(node.nodeId), listeners: listenersOf(api) });
  closing.push(() => removeRunFile(folder));
  log.info("edge.started", { node: nodeIdText(node.nodeId), count: core.engine.accounts.size });
  return { parts, close: () => closing.run() };
}

function openApi(
  { folder, config }: EdgeStart,
  parts: EdgeParts,
  { seams, log }: Pick<Serving, "seams" | "log">,
): Promise<LocalApi> {
  const { node, audit, credentials, applications } = parts;
  const { socketMode, loopback, tls } = config.api;
  const listeners: ApiListener[] = [{ kind: "unix", path: folder.apiSocket, mode: socketMode }];
  if (loopback !== null) listeners.push({ kind: "loopback", ...loopback });
  if (tls !== null) listeners.push({ kind: "tls", ...tls });
  const heard = () => node.vaultLastHeardAtMs;
  const { key, cert } = serverTlsOptions(node.identity.tls);
  return openLocalApi({
    listeners,
    tls: tls === null ? null : { key: String(key), cert: String(cert) },
    source: credentials,
    applications: () => applications.current,
    health: () => nodeHealth(parts),
    vaultLastHeardAt: () => {
      const at = heard();
      return at === null ? null : new Date(at).toISOString();
    },
    onRead: ({ application, path, version, outcome }) =>
      audit.noteRead({
        action: "credential.read",
        actor: application === null ? { kind: "operator", id: "unknown" } : { kind: "application", id: application },
        subject: { kind: "account", id: path },
        outcome: outcome === "refused" ? "denied" : "ok",
        details: version === null ? {} : { version },
      }),
    clock: seams.clock,
    random: seams.random,
    metrics: createMetrics(),
    log,
  });
}

function listenersOf(api: LocalApi): RunFile["listeners"] {
  return Object.fromEntries(api.listeners.map(({ kind, address, port }) => [`api-${kind}`, { address, port }]));
}

function hasSpace(path: string): boolean {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize >= reservedBytes;
}
