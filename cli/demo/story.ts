import { callAdmin } from "../../agent/admin/index.ts";
import type { RunFile } from "../../agent/data-folder/index.ts";
import { CliError } from "../frame/index.ts";
import type { DemoDevice, Fields } from "./devices.ts";
import { freePort } from "./free-port.ts";
import type { Narrator } from "./narrator.ts";
import { runTidegate, runTidegateJson } from "./processes.ts";
import { type DemoSystem, zones } from "./system.ts";
import { until } from "./wait.ts";

/** What the steps share. */
export interface Story {
  readonly system: DemoSystem;
  readonly tell: Narrator;
  readonly devices: readonly DemoDevice[];
}

interface VaultStatus {
  readonly nodes: readonly {
    readonly name: string;
    readonly connected: boolean;
    readonly issued: number;
    readonly acknowledged: number;
  }[];
}

interface OrderAnswer {
  readonly orderId: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly code: string | null;
}

/** Vault, gateway and edge come up, each joined by a code that went from hand to hand. */
export async function startNodes({ system, tell }: Pick<Story, "system" | "tell">): Promise<void> {
  await tell.step("the vault is made and runs", async () => {
    // A port of its own rather than any: the gateway must find the vault again after it was stopped.
    const port = await freePort(zones.vault);
    const made = await system.vault<{ vaultId: string }>(["vault", "init", "--listen", `${zones.vault}:${port}`]);
    const { pid, run } = await system.start("vault");
    return { says: `vault ${made.vaultId.slice(0, 12)}…, pid ${pid}, listens on ${place(run, "tunnel")}`, value: null };
  });
  const edges = await tell.step("the gateway joins and dials out", async () => {
    await system.join({
      role: "gateway",
      name: "gw-1",
      enroll: ["--zone", "dmz", "--host", zones.dmz],
      join: ["--edges", `${zones.edges}:0`, "--api-tls", `${zones.dmz}:0`],
    });
    const { pid, run } = await system.start("gateway");
    await connected(system, "gw-1");
    const address = place(run, "edges");
    return { says: `pid ${pid}, edges on ${address}, applications on ${place(run, "api-tls")} (TLS)`, value: address };
  });
  await tell.step("the edge joins through the gateway", async () => {
    await system.join({
      role: "edge",
      name: "edge-1",
      enroll: ["--zone", "line-4", "--via", "gw-1", "--address", edges],
      join: [],
    });
    const { pid } = await system.start("edge");
    await until("the edge to be heard", async () => ((await node(system, "edge-1")).acknowledged > 0 ? true : null));
    return { says: `pid ${pid}, its signed acknowledgement reached the vault`, value: null };
  });
}

/** Devices are registered with the passwords that they came with; nothing is sent to them by that. */
export async function adopt({ system, tell, devices }: Story): Promise<void> {
  for (const device of devices) {
    const [zone = "", name = ""] = device.path.split("/");
    await tell.step(`${name} is registered`, async () => {
      await system.vault(["device", "add", name, "--zone", zone, ...device.add]);
      const text = Object.entries(device.factory).map(([field, value]) => `${field}=${value}`);
      const single = Object.values(device.factory);
      await system.vault(["credential", "set", device.path, "--from-stdin"], single.length === 1 ? single[0] : text.join("\n"));
      await system.edgeHolds(device.path, "1.0");
      if (!(await device.accepts(device.factory))) throw failed(`${device.judge} refuses the factory password`);
      return {
        says: `${device.title}, pid ${device.pid}; its factory password reached the edge sealed, and still works`,
        value: null,
      };
    });
  }
}

/** The vault orders a rotation of each device. */
export async function rotateByOrder(story: Story): Promise<void> {
  for (const device of story.devices) {
    await story.tell.step(`${nameOf(device)} gets a new password`, async () => {
      const before = device.factory;
      const order = await story.system.vault<OrderAnswer>(["device", "rotate", device.path, "--wait", "30"]);
      if (order.outcome !== "done") throw failed(`the order ended as ${order.outcome ?? order.state} ${order.code ?? ""}`);
      const now = await story.system.reveal(device.path);
      await mustHaveChanged(device, before, now.fields);
      return { says: `version ${now.version}; ${device.judge} accepts the new and refuses the old`, value: null };
    });
  }
}

/** Where the DMZ application reads and what it shows. */
export interface Reader {
  read(path: string): Promise<{ version: string; fields: Fields; vaultLastHeardAt: string | null }>;
}

/** An application in the DMZ reads over TLS from the gateway what was granted to it, and nothing else. */
export async function readInDmz({ system, tell, devices }: Story): Promise<Reader> {
  return tell.step("a DMZ application reads over TLS", async () => {
    const granted = devices[0];
    if (granted === undefined) throw failed("no device was started");
    const token = system.folder("historian.token");
    await system.vault(["app", "add", "historian", "--node", "gw-1"]);
    await system.vault(["app", "grant", "historian", granted.path]);
    await system.vault(["app", "token", "historian", "--out", token]);
    const run = JSON.parse(system.read(`${system.folder("gateway")}/run.json`)) as RunFile;
    const url = `https://${place(run, "api-tls")}`;
    const args = ["--url", url, "--ca", `${system.folder("gateway")}/ca.pem`, "--token-file", token];
    const reader: Reader = { read: (path) => runTidegateJson(["get", path, ...args]) };
    const read = await until("the grant to reach the gateway", () => reader.read(granted.path));
    const vault = await system.reveal(granted.path);
    if (read.version !== vault.version || !same(read.fields, vault.fields)) throw failed("the gateway serves another value");
    const refused = await runTidegate(["get", "line-4/other/account", ...args]).then(
      () => false,
      (error) => /API_REFUSED/.test(String(error)),
    );
    if (!refused) throw failed("a path that was not granted is not refused");
    return { says: `${granted.path} version ${read.version} from ${url}; another path is refused`, value: reader };
  });
}

/** The vault goes away; everything still answers, and the edge rotates from its pool. */
export async function withoutVault(story: Story, reader: Reader): Promise<void> {
  const { system, tell, devices } = story;
  const before = new Map<string, Fields>();
  for (const { path } of devices) before.set(path, (await system.reveal(path)).fields);
  await tell.step("the vault is stopped", async () => {
    await system.stop("vault");
    const path = devices[0]?.path ?? "";
    const read = await reader.read(path);
    return {
      says: `the gateway still answers: ${path} version ${read.version}, vault last heard ${read.vaultLastHeardAt}`,
      value: null,
    };
  });
  const rotated = new Map<string, string>();
  for (const device of devices) {
    await tell.step(`${nameOf(device)} rotates from the pool`, async () => {
      rotated.set(device.path, await rotateAtEdge(system, device));
      const old = before.get(device.path) ?? {};
      if (await device.accepts(old)) throw failed(`${device.judge} still accepts the old password`);
      return { says: `version ${rotated.get(device.path)} with the vault away; ${device.judge} refuses the old`, value: null };
    });
  }
  await tell.step("the vault is back", async () => {
    await system.start("vault");
    await until("the reports to be ingested", async () => {
      for (const [path, version] of rotated) if ((await system.reveal(path)).version !== version) return null;
      return true;
    });
    for (const device of devices) {
      const { fields } = await system.reveal(device.path);
      if (!(await device.accepts(fields))) throw failed(`${device.judge} refuses what the vault holds`);
    }
    return {
      says: `it ingested the reports; what it holds now is what ${devices.map(({ judge }) => judge).join(" and ")} accepts`,
      value: null,
    };
  });
}

/** Every node's log is verified from its files alone, by a process that has no key. */
export async function verifyLogs({ system, tell }: Story): Promise<void> {
  await tell.step("the logs are verified offline", async () => {
    for (const role of ["edge", "gateway", "vault"] as const) await system.stop(role);
    const sizes: string[] = [];
    for (const role of ["vault", "gateway", "edge"] as const) {
      const logs = await runTidegateJson<{ size: number }[]>(["audit", "verify", system.folder(role)]);
      sizes.push(`${role} ${logs.map(({ size }) => size).join(" + ")}`);
    }
    return { says: `every leaf sealed, none edited, deleted or reordered: ${sizes.join(", ")} leaves`, value: null };
  });
}

async function rotateAtEdge(system: DemoSystem, device: DemoDevice): Promise<string> {
  const edge = system.folder("edge");
  const look = async () => {
    const query = `/v1/rotation?path=${encodeURIComponent(device.path)}`;
    return (await callAdmin(edge, { method: "GET", path: query })) as { version: string; state: string };
  };
  const { version: before } = await look();
  // Refused for some seconds after a rotation: an earlier change could still land on the device.
  await until(`${nameOf(device)} to have settled`, () => runTidegate(["edge", "rotate", device.path, "--data", edge]));
  return until(`${device.path} to rotate`, async () => {
    const { version, state } = await look();
    return version !== before && /^(IDLE|VERIFIED)$/.test(state) ? version : null;
  });
}

async function mustHaveChanged(device: DemoDevice, before: Fields, now: Fields): Promise<void> {
  if (!(await device.accepts(now))) throw failed(`${device.judge} refuses the new password`);
  if (await device.accepts(before)) throw failed(`${device.judge} still accepts the old password`);
}

async function connected(system: DemoSystem, name: string): Promise<void> {
  await until(`${name} to connect`, async () => ((await node(system, name)).connected ? true : null));
}

async function node(system: DemoSystem, name: string): Promise<VaultStatus["nodes"][number]> {
  const found = (await system.status<VaultStatus>("vault")).nodes.find((each) => each.name === name);
  if (found === undefined) throw failed(`the vault does not know ${name}`);
  return found;
}

function place(run: RunFile, listener: string): string {
  const { address, port } = run.listeners[listener] ?? { address: "nowhere", port: 0 };
  return `${address}:${port}`;
}

function nameOf({ path }: DemoDevice): string {
  return path.split("/")[1] ?? path;
}

function same(a: Fields, b: Fields): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, value]) => b[name] === value);
}

function failed(message: string): CliError {
  return new CliError("CLI_DEMO", message);
}
