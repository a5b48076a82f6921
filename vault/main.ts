import { formatAddress, parseAddress } from "../agent/address/index.ts";
import { createAdminServer } from "../agent/admin/index.ts";
import { auditRoute } from "../agent/audit/index.ts";
import { auditCopyRoutes } from "../agent/custody/index.ts";
import { type DataFolder, lockDataFolder, removeRunFile, writeRunFile } from "../agent/data-folder/index.ts";
import { type ForwardStatus, openForwarders } from "../agent/forward/index.ts";
import { createLog, type Log } from "../agent/log/index.ts";
import type { Unlock } from "../agent/seal-key/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import { openSpace } from "../agent/space/index.ts";
import { socketListen } from "../agent/tunnel/index.ts";
import { toHex } from "../protocol/base/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import { backupRoute, vaultRoutes } from "./admin/index.ts";
import { vaultFeed } from "./audit/index.ts";
import type { VaultConfig } from "./config.ts";
import { FleetWatch } from "./fleet/index.ts";
import { followVaultSpace } from "./follow-space.ts";
import { UnprovenWatch } from "./ingest/index.ts";
import { noteConfiguration } from "./note-configuration.ts";
import { type OpenVault, openVault } from "./open-vault.ts";
import { ExportWatch } from "./streams/index.ts";
import { VaultTunnel } from "./tunnel/index.ts";

export interface VaultStart {
  readonly folder: DataFolder;
  readonly config: VaultConfig;
  /** Of Tidegate, for the leaf of the start. */
  readonly version: string;
}

/** Runs a vault until it is closed. `run.json` appears when it listens. */
export async function start(what: VaultStart, seams: Seams, unlock: Unlock): Promise<{ close(): Promise<void> }> {
  const { folder, config } = what;
  const log = createLog({ level: config.log.level, node: "vault" });
  const closers: (() => unknown)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const lock = lockDataFolder(folder);
    closers.push(() => lock.release());
    removeRunFile(folder);
    const { space } = openSpace(folder, config.audit, seams);
    const { whenFull } = config.audit;
    const beforeWrite = () => space.makeRoom();
    const vault = await openVault({ folder, unlock, seams, version: what.version, log, whenFull, beforeWrite });
    closers.push(() => vault.close());
    const { core } = vault;
    await noteConfiguration(core, config);
    const told = followVaultSpace({ space, core, audit: vault.audit, log });
    closers.push(async () => {
      await space.close();
      await told();
    });
    const tunnel = new VaultTunnel({
      core,
      listen: socketListen(core.keys.identity.tls, { allowProxies: config.tunnel.allowProxies }),
      address: config.tunnel.listen,
      log,
      seams,
    });
    closers.push(() => tunnel.close());
    await tunnel.open();
    const fleets = new FleetWatch({ core, timers: seams.timers, log, wake: (nodeIds) => tunnel.wake(nodeIds) });
    closers.push(() => fleets.close());
    const exports = new ExportWatch({ core, timers: seams.timers, log, wake: (nodeIds) => tunnel.wake(nodeIds) });
    closers.push(() => exports.close());
    const watch = new UnprovenWatch({ core, timers: seams.timers, log });
    closers.push(() => watch.close());
    const forwards = forwardLog(vault, what, { seams, log, closers });
    const routes = vaultRoutes({
      core,
      wake: (nodeIds) => tunnel.wake(nodeIds),
      connected: (nodeId) => tunnel.connected(nodeId),
      vaultAddress: () =>
        config.tunnel.advertise ?? formatAddress({ ...parseAddress(config.tunnel.listen), port: tunnel.address.port }),
      forwards,
      space: () => ({ ...space.facts, dropped: vault.audit.space.dropped }),
    });
    const admin = await createAdminServer({
      socketPath: folder.adminSocket,
      routes: [
        ...routes,
        backupRoute(core, folder),
        auditRoute(vault.audit.asSource()),
        ...auditCopyRoutes(vault.audit.asExport(toHex(core.vaultId)), seams.random),
      ],
      log,
    });
    closers.push(() => admin.close());
    writeRunFile(folder, {
      role: "vault",
      pid: process.pid,
      nodeId: nodeIdText(core.keys.identity.nodeId),
      listeners: { tunnel: { address: tunnel.address.host, port: tunnel.address.port } },
    });
    closers.push(() => removeRunFile(folder));
    log.info("vault.started", { address: tunnel.address.host, port: tunnel.address.port, version: what.version });
  } catch (error) {
    await closeAll();
    throw error;
  }
  let closing: Promise<void> | null = null;
  return {
    close() {
      closing ??= closeAll().then(() => log.info("vault.stopped"));
      return closing;
    },
  };
}

/** Begins to forward the vault's log to the collectors of its configuration. */
function forwardLog(
  { core, audit }: OpenVault,
  { config, version }: VaultStart,
  { seams, log, closers }: { readonly seams: Seams; readonly log: Log; readonly closers: (() => unknown)[] },
): () => readonly ForwardStatus[] {
  const { name } = audit.asExport(toHex(core.vaultId));
  const forwarders = openForwarders({
    targets: config.forward,
    feed: vaultFeed(core.store, audit, name),
    speaker: { name: "vault", role: "vault", version },
    seams,
    log,
  });
  closers.push(() => Promise.all(forwarders.map((each) => each.close())));
  return () => forwarders.map((each) => each.status());
}
