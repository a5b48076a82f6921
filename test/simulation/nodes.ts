import type { AdminRoute } from "../../agent/admin/index.ts";
import { Closing } from "../../agent/closing/index.ts";
import type { DialledTunnel } from "../../agent/tunnel/index.ts";
import { adminRoutes } from "../../edge/admin-routes.ts";
import { edgeConfigSchema } from "../../edge/config.ts";
import { type EdgeCore, openCore as openEdge } from "../../edge/core.ts";
import type { EdgeParts } from "../../edge/parts.ts";
import { siteRoutes } from "../../edge/site-routes.ts";
import { openUplink } from "../../edge/uplink.ts";
import { gatewayConfigSchema } from "../../gateway/config.ts";
import { openCore as openGateway } from "../../gateway/core.ts";
import type { GatewayParts } from "../../gateway/parts.ts";
import { Secret } from "../../protocol/base/index.ts";
import { vaultRoutes } from "../../vault/admin/index.ts";
import { ColumnSeal } from "../../vault/master-key/index.ts";
import { type OpenVault, openVaultOver } from "../../vault/open-vault.ts";
import { openVaultStore } from "../../vault/store/index.ts";
import { VaultTunnel } from "../../vault/tunnel/index.ts";
import type { SimulatedDevice } from "./device.ts";
import type { Disk } from "./disk.ts";
import type { Network } from "./network.ts";
import type { Process } from "./process.ts";
import type { VaultDisk } from "./vault-disk.ts";

const version = "0.0.0";

/** Where the nodes listen. */
export const addresses = { vault: "vault:7443", gateway: "gateway:7444" } as const;

/** A running vault. */
export interface RunningVault {
  readonly process: Process;
  readonly vault: OpenVault;
  /** Calls the admin API as the command line does. */
  call(method: AdminRoute["method"], path: string, body?: unknown): Promise<Record<string, unknown>>;
}

export interface VaultParts {
  readonly process: Process;
  readonly disk: VaultDisk;
  readonly network: Network;
  /** The key that opens the vault's columns; each start takes a copy. */
  readonly masterKey: Secret;
}

/** Starts the real vault over the simulated seams. Never settles where its process dies meanwhile. */
export async function startVault({ process, disk, network, masterKey }: VaultParts): Promise<RunningVault> {
  const { seams, log } = process;
  const { clock, failpoint } = seams;
  const store = await openVaultStore({ path: ":memory:", clock, failpoint, open: () => disk.open(process) });
  const seal = new ColumnSeal(
    masterKey.use((bytes) => new Secret(bytes)),
    seams.random,
  );
  const vault = await openVaultOver({ store, seal, seams, version, log, unlockedBy: "passphrase", auditFolder: null });
  const { core } = vault;
  const listen = network.listen(process, core.keys.identity.tls.spkiHash);
  const tunnel = new VaultTunnel({ core, listen, address: addresses.vault, log, seams, refreshMs: 600_000 });
  await tunnel.open();
  const routes = vaultRoutes({
    core,
    wake: (nodeIds) => tunnel.wake(nodeIds),
    connected: (nodeId) => tunnel.connected(nodeId),
    vaultAddress: () => addresses.vault,
  });
  return { process, vault, call: (method, path, body) => callRoute(routes, method, path, body) };
}

/** A running gateway. */
export interface RunningGateway {
  readonly process: Process;
  readonly parts: GatewayParts;
}

export interface MemberParts {
  readonly process: Process;
  readonly disk: Disk;
  readonly network: Network;
  readonly tlsKeyHash: Uint8Array;
}

/** A disk with room, as status shows it. */
const space = { facts: { standing: "room", freeBytes: 1, usedPart: 0, reserveBytes: 0 } } as const;

// Read once: the schemas are not what is looked at here.
const gatewayConfig = gatewayConfigSchema.parse({
  vault: { address: addresses.vault },
  edges: { listen: addresses.gateway },
});
const edgeConfig = (requirePermit: boolean) =>
  edgeConfigSchema.parse({ gateway: { address: addresses.gateway }, requirePermit });
const edgeConfigs = { free: edgeConfig(false), permitted: edgeConfig(true) } as const;

/** Starts the real gateway over the simulated seams. */
export async function startGateway({ process, disk, network, tlsKeyHash }: MemberParts): Promise<RunningGateway> {
  const { seams, log } = process;
  const store = disk.mount(process);
  const core = openGateway({ store, config: gatewayConfig, seams, log, version, folder: null, closing: new Closing() });
  await core.connect({ dial: network.dial(process, tlsKeyHash), listen: network.listen(process, tlsKeyHash) });
  return { process, parts: { ...core.parts, forwards: () => [], space } };
}

/** A running edge. */
export interface RunningEdge {
  readonly process: Process;
  readonly core: EdgeCore;
  readonly tunnel: DialledTunnel;
  call(method: AdminRoute["method"], path: string, body?: unknown): Promise<Record<string, unknown>>;
}

export interface EdgeMachine extends MemberParts {
  /** The devices that it reaches, by host. */
  readonly devices: ReadonlyMap<string, SimulatedDevice>;
  /** False while the disk has no room for a rotation. */
  readonly hasSpace: () => boolean;
  readonly requirePermit: boolean;
}

/** Starts the real edge over the simulated seams. */
export function startEdge(machine: EdgeMachine): RunningEdge {
  const { process, disk, network, tlsKeyHash, devices, hasSpace, requirePermit } = machine;
  const { seams, log } = process;
  const closing = new Closing();
  const core = openEdge({
    store: disk.mount(process),
    config: requirePermit ? edgeConfigs.permitted : edgeConfigs.free,
    seams,
    log,
    adapters: {
      run(_adapter, op, job) {
        const device = devices.get(job.target.host);
        if (device === undefined) throw new Error(`no device at ${job.target.host}`);
        // A dead process sends nothing.
        return process.alive ? device.run(process, op, job) : new Promise(() => {});
      },
      close: async () => {},
    },
    version,
    folder: null,
    spaceLeft: hasSpace,
    closing,
  });
  const { node, audit, notices } = core;
  const dial = network.dial(process, tlsKeyHash);
  const tunnel = openUplink({ node, audit, notices, address: addresses.gateway, seams, log, dial, closing });
  const hop = { to: "gateway", status: () => tunnel.status(), nowMs: () => seams.clock.sinceBootMs() } as const;
  const parts: EdgeParts = { ...core, hop, forwards: () => [], space };
  const routes = [...adminRoutes(parts), ...siteRoutes(parts)];
  return { process, core, tunnel, call: (method, path, body) => callRoute(routes, method, path, body) };
}

async function callRoute(
  routes: readonly AdminRoute[],
  method: AdminRoute["method"],
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const [plain = "", search = ""] = path.split("?");
  for (const route of routes) {
    const params = paramsOf(route.path, plain);
    if (route.method !== method || params === null) continue;
    const query = search === "" ? undefined : Object.fromEntries(new URLSearchParams(search));
    return (await route.handle({ params, query, body })) as Record<string, unknown>;
  }
  throw new Error(`no call ${method} ${path}`);
}

function paramsOf(route: string, path: string): Record<string, string> | null {
  const names = route.split("/");
  const parts = path.split("/");
  if (names.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [i, name] of names.entries()) {
    if (name.startsWith(":")) params[name.slice(1)] = parts[i] ?? "";
    else if (name !== parts[i]) return null;
  }
  return params;
}
