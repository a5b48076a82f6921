import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dataFolderAt } from "../../agent/data-folder/index.ts";
import { identityOf, loadIdentity } from "../../agent/identity/index.ts";
import { joinNode } from "../../agent/node/index.ts";
import { createKeyFile, openSealKey, type Unlock } from "../../agent/seal-key/index.ts";
import { requestJoin } from "../../agent/tunnel/index.ts";
import type { Secret } from "../../protocol/base/index.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { initVault } from "../../vault/init/index.ts";
import { comesToRest } from "./at-rest.ts";
import type { DeviceKind } from "./device-kind.ts";
import { Dice } from "./dice.ts";
import type { Disk } from "./disk.ts";
import { addresses } from "./nodes.ts";
import { MachineClock } from "./process.ts";
import { VaultDisk } from "./vault-disk.ts";
import { settled, VirtualTime } from "./virtual-time.ts";
import { type Machine, type Plan, type PlannedDevice, type PlantImage, World } from "./world.ts";

/** A new vault, made by the real `vault init`, that every plant of this process of the operating system shares. */
export interface Foundation {
  readonly vaultDisk: VaultDisk;
  readonly masterKey: Secret;
  /** The vault before anybody has joined. */
  readonly image: string;
}

const trustDomain = "plant.example";

/** Makes a vault in a folder of its own, takes its store into memory and removes the folder. */
export async function layFoundation(): Promise<Foundation> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-simulation-"));
  try {
    const random = new Dice("foundation").bytes;
    const unlock: Unlock = { kind: "key-file", path: join(folder, "key") };
    createKeyFile(unlock.path, random);
    const time = new VirtualTime();
    const { clock } = new MachineClock(time);
    const seams = { clock, random, timers: { after: () => () => {} } };
    const path = join(folder, "vault");
    const { vault: listen } = addresses;
    await initVault({ path, unlock: async () => unlock, trustDomain, listen, advertise: null, version: "0.0.0", seams });
    const masterKey = await openSealKey({ path: dataFolderAt(path).sealKey, unlock });
    const vaultDisk = new VaultDisk();
    vaultDisk.adopt(dataFolderAt(path).store);
    return { vaultDisk, masterKey, image: vaultDisk.keep() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds a plant: every node joins as in real life, devices are registered, and everything comes to rest. `seed` decides all random numbers. */
export async function buildPlant(
  { vaultDisk, masterKey, image }: Foundation,
  plan: Plan,
  seed: string | null = null,
): Promise<PlantImage> {
  vaultDisk.begin(image);
  const world = new World({ seed: seed ?? plan.name, vaultDisk, masterKey, plan, image: null, keepTrace: true });
  world.startVault();
  await settled();
  world.vault.tlsKeyHash = running(world.vault).vault.core.keys.identity.tls.spkiHash;
  await enrol(world, world.gateway, { role: "gateway", zone: "dmz" });
  world.startGateway();
  await settled();
  for (const [i, edge] of world.edges.entries()) {
    await enrol(world, edge, { role: "edge", zone: zoneOf(i + 1), via: "gateway", address: addresses.gateway });
    world.startEdge(edge);
    await settled();
  }
  const { call } = running(world.vault);
  for (const device of plan.devices) await world.drive(register(call, device));
  // The first proof of a login pins its device's identity: without it nothing is rotated.
  for (const { zone, name, accounts } of plan.devices) {
    for (const account of accounts) {
      await world.drive(call("POST", "/v1/orders", { path: `${zone}/${name}/${account.name}`, action: "verify" }));
    }
  }
  if (plan.consumers) {
    await world.drive(call("POST", "/v1/applications", { name: "scada" }));
    await world.drive(call("POST", "/v1/applications/scada/grants", { pattern: "**" }));
  }
  const unfinished = await comesToRest(world, world.time.now + 3_600_000);
  if (unfinished.length + world.problems.length > 0) {
    throw new Error(
      `the plant ${plan.name} does not come to rest: ${[...world.problems, ...unfinished].join("; ")}\n${world.trace.lines?.slice(-60).join("\n")}`,
    );
  }
  return {
    plan,
    // What one seed alone plays in is kept in the place of the one before.
    vault: seed === null ? vaultDisk.keep() : vaultDisk.keep("anew"),
    gateway: world.gateway.disk.image(),
    edges: world.edges.map(({ disk }) => disk.image()),
    tlsKeyHashes: new Map([world.vault, world.gateway, ...world.edges].map(({ name, tlsKeyHash }) => [name, tlsKeyHash])),
    now: world.time.now,
  };
}

/** Zone of the edge of this number. */
export function zoneOf(edge: number): string {
  return `zone-${edge}`;
}

function running<Running>({ name, running }: Machine<Running>): Running {
  if (running === null) throw new Error(`${name} does not run`);
  return running;
}

type Call = (method: "POST" | "PUT", path: string, body: unknown) => Promise<Record<string, unknown>>;

async function enrol(
  world: World,
  machine: Machine<unknown> & { readonly disk: Disk },
  enrolment: { role: "gateway" | "edge"; zone: string; via?: string; address?: string },
): Promise<void> {
  const { call } = running(world.vault);
  const { code: text } = await world.drive(call("POST", "/v1/codes", { name: machine.name, ...enrolment }));
  const code = parseEnrolmentCode(String(text));
  const process = world.process(machine);
  const { seams } = process;
  const store = machine.disk.mount(process);
  const dial = world.network.dial(process, null);
  const exchange = (carrier: Uint8Array) => requestJoin({ address: code.address, carrier, dial, seams });
  await world.drive(joinNode({ store, code, role: nodeRole[enrolment.role], seams, exchange }));
  const seeds = store.read(loadIdentity);
  if (seeds === null) throw new Error("no identity");
  machine.tlsKeyHash = identityOf(seeds).tls.spkiHash;
  process.die();
}

async function register(call: Call, { zone, name, kind, accounts }: PlannedDevice): Promise<void> {
  await call("POST", "/v1/devices", {
    name,
    zone,
    model: { name: kind.model, yaml: modelText(kind), constraints: { password: constraints } },
    host: `${zone}.${name}`,
    port: 502,
    accounts: accounts.map((account) => {
      const { rotate, intervalS } = account;
      return { name: account.name, username: account.name, rotate, intervalS };
    }),
  });
  for (const account of accounts) {
    const fields = { password: Buffer.from(account.password).toString("base64") };
    await call("PUT", "/v1/credentials", { path: `${zone}/${name}/${account.name}`, fields });
  }
}

/** Values of devices here. */
export const constraints = {
  kind: "text",
  minLength: 12,
  maxLength: 12,
  alphabet: "abcdefghijklmnopqrstuvwxyz0123456789",
} as const;

/** The model of a make of device. It is short: every start of an edge reads it. */
function modelText({ model, tries, scope, windowS, durationS, settleMs }: DeviceKind): string {
  const lockout =
    tries === null || tries === "unknown"
      ? (tries ?? "none")
      : `{ tries: ${tries}, windowS: ${windowS}, durationS: ${durationS}, scope: ${scope} }`;
  return `name: ${model}
title: A simulated make
adapter: modbus
defaultPort: 502
manuals: [{ title: Its source, place: device.ts }]
notProven: [That such devices exist]
settings: {}
secrets: { password: ${JSON.stringify(constraints)} }
lockout: ${lockout}
maxSessions: 1
settleMs: ${settleMs}
needsSave: true
writeBudget: 100000
sideEffects: [None]
recipe:
  unlock: [{ write: { address: 1, type: u16, value: current } }]
  push: [{ write: { address: 2, type: u16, value: next } }]
  save: [{ write: { address: 3, type: u16, value: 1 } }]
  verify: [{ unlock: current }]
`;
}
