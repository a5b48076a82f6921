import { readFileSync, writeFileSync } from "node:fs";
import { request as requestPlain } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import type { Test } from "tap";
import { type AdminCall, callAdmin } from "../../agent/admin/index.ts";
import type { NodeRole, RunFile } from "../../agent/data-folder/index.ts";
import type { DemoDevice, Fields, Running } from "../../cli/demo/index.ts";
import { builtinModelText } from "../../firmware-adapters/index.ts";
import { adopt, DemoSystem, freePort, startMeterDevice, startSwitch, until, zones } from "./built.ts";
import { descendantsOf, isAlive } from "./processes.ts";

export type { DemoDevice, Fields } from "../../cli/demo/index.ts";

/** A version of an account as the vault knows it. */
export interface Version {
  readonly version: string;
  readonly status: string;
}

/** An answer of a node's local API, as bytes and parsed. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A vault, a gateway and an edge as processes out of dist/, each on its own loopback address with a fixed port, and the demo's devices. */
export class Plant {
  readonly system = new DemoSystem();
  readonly devices: DemoDevice[] = [];
  readonly nodes = new Map<NodeRole, Running & { run: RunFile }>();
  /** What each process printed that has ended. */
  readonly printed: string[] = [];

  /** Starts everything; every process is ended at the test's end, whatever happens. */
  static async start(t: Test, factory: { readonly authPassword: string; readonly privPassword: string }): Promise<Plant> {
    const plant = new Plant();
    const { system } = plant;
    t.teardown(() => plant.close());
    const { vault, edges } = zones;
    await system.vault(["vault", "init", "--listen", `${vault}:${await freePort(vault)}`]);
    await plant.run("vault");
    const listen = `${edges}:${await freePort(edges)}`;
    await system.join({
      role: "gateway",
      name: "gw-1",
      enroll: ["--zone", "dmz", "--host", zones.dmz],
      join: ["--edges", listen, "--api-tls", `${zones.dmz}:${await freePort(zones.dmz)}`],
    });
    await plant.run("gateway");
    const enroll = ["--zone", "line-4", "--via", "gw-1", "--address", listen];
    await system.join({ role: "edge", name: "edge-1", enroll, join: [] });
    await plant.run("edge");
    const agent = await startSwitch(system, factory);
    const meter = await startMeterDevice(system, { password: "1000" });
    // The published model does not know the meter's lockout, which allows one login in half an hour; a crash may cost that one.
    const yaml = builtinModelText("eastron-sdm")
      .replace("name: eastron-sdm", "name: patient-meter")
      .replace("lockout: unknown", "lockout: none");
    const model = system.write("patient-meter.yaml", yaml);
    const add = meter.add.map((word) => (word === "eastron-sdm" ? model : word));
    plant.devices.push(...(agent === null ? [] : [agent]), { ...meter, add });
    return plant;
  }

  /** Ends every process and removes every folder; gives the ids of those that did not go. Idempotent. */
  async close(): Promise<number[]> {
    const children = descendantsOf(process.pid);
    await this.system.close({ keep: false });
    const left = children.filter(isAlive);
    for (const pid of left) process.kill(pid, "SIGKILL");
    return left;
  }

  folder(role: NodeRole): string {
    return this.system.folder(role);
  }

  pid(role: NodeRole): number {
    return this.#node(role).pid;
  }

  /** Where a node listens, from its run.json. */
  listeners(role: NodeRole): RunFile["listeners"] {
    return this.#node(role).run.listeners;
  }

  /** Starts a node, telling everything that its log can tell. */
  async run(role: NodeRole): Promise<void> {
    const config = join(this.folder(role), "tidegate.yaml");
    writeFileSync(config, readFileSync(config, "utf8").replace("level: info", "level: debug"));
    this.nodes.set(role, await this.system.start(role));
  }

  async stop(role: NodeRole): Promise<void> {
    this.printed.push(this.#node(role).printed());
    await this.system.stop(role);
  }

  /** Power off: nothing of it runs on. */
  async kill(role: NodeRole): Promise<void> {
    const node = this.#node(role);
    process.kill(node.pid, "SIGKILL");
    await node.ended;
    await this.stop(role);
  }

  /** What the present process of a node has printed so far. */
  said(role: NodeRole): string {
    return this.#node(role).printed();
  }

  /** Registers the devices with their factory passwords. */
  async adopt(): Promise<void> {
    const step = async <T>(_title: string, work: () => Promise<{ readonly value: T }>) => (await work()).value;
    await adopt({ system: this.system, devices: this.devices, tell: { step, say: () => {}, steps: 0 } });
  }

  call<T>(role: NodeRole, method: AdminCall["method"], path: string, body?: unknown): Promise<T> {
    return callAdmin(this.folder(role), { method, path, body }) as Promise<T>;
  }

  /** Registers an SNMP device that is not there, with one account `ops`, and gives it its secret. */
  async addAbsent(name: string, secret: string): Promise<string> {
    const { system } = this;
    const place = ["--model", "net-snmp-agent", "--host", "127.0.0.1", "--port", "9", "--account", "ops"];
    await system.vault(["device", "add", name, "--zone", "line-4", ...place]);
    const path = `line-4/${name}/ops`;
    await system.vault(["credential", "set", path, "--from-stdin"], `authPassword=${secret}A\nprivPassword=${secret}P`);
    return path;
  }

  /** Registers an application that one node serves, and gives its token. */
  async application(name: string, node: string, pattern: string): Promise<string> {
    await this.call("vault", "POST", "/v1/applications", { name, node });
    await this.call("vault", "POST", `/v1/applications/${name}/grants`, { pattern });
    return (await this.call<{ token: string }>("vault", "POST", `/v1/applications/${name}/token`)).token;
  }

  /** Orders a rotation at the vault; resolves with the order's id. */
  async order(path: string): Promise<string> {
    return (await this.call<{ orderId: string }>("vault", "POST", "/v1/orders", { path, action: "rotate" })).orderId;
  }

  /** Waits for the end of an order as the vault learns it. */
  ordered(orderId: string): Promise<string> {
    return until(`order ${orderId} to end`, async () => {
      const order = await this.call<{ state: string; outcome: string | null; code: string | null }>(
        "vault",
        "GET",
        `/v1/orders/${orderId}`,
      );
      return order.state === "open" ? null : `${order.outcome}${order.code === null ? "" : ` ${order.code}`}`;
    });
  }

  async history(path: string): Promise<readonly Version[]> {
    return (
      await this.call<{ versions: Version[] }>("vault", "GET", `/v1/credentials/history?path=${encodeURIComponent(path)}`)
    ).versions;
  }

  async reveal(path: string, version?: string): Promise<{ version: string; fields: Fields }> {
    const body = version === undefined ? { path } : { path, version };
    const answer = await this.call<{ version: string; fields: Fields }>("vault", "POST", "/v1/credentials/reveal", body);
    const fields = Object.entries(answer.fields).map(([name, value]) => [name, Buffer.from(value, "base64").toString()]);
    return { version: answer.version, fields: Object.fromEntries(fields) as Fields };
  }

  /** Where an account stands at the edge. */
  rotation(path: string): Promise<{ version: string; state: string; candidates: number; pool: number }> {
    return this.call("edge", "GET", `/v1/rotation?path=${encodeURIComponent(path)}`);
  }

  /** A call of the local API: the gateway's over TLS, the edge's over its Unix socket. */
  get(role: "gateway" | "edge", path: string, token: string): Promise<Answer> {
    const headers = { "x-tidegate-request": "true", authorization: `Bearer ${token}` };
    const { address = "", port = 0 } = this.listeners(role)["api-tls"] ?? {};
    return new Promise((resolve, reject) => {
      const place = { path, headers, agent: false } as const;
      const ca = () => readFileSync(join(this.folder("gateway"), "ca.pem"));
      const call =
        role === "gateway"
          ? request({ ...place, host: address, port, ca: ca() })
          : requestPlain({ ...place, socketPath: join(this.folder(role), "api.sock") });
      call.on("response", async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
      call.on("error", reject);
      call.end();
    });
  }

  /** Reads until the grant has reached the node. */
  reads(role: "gateway" | "edge", path: string, token: string): Promise<Answer> {
    return until(`${role} to serve ${path}`, async () => {
      const answer = await this.get(role, `/v1/credentials/${path}`, token);
      return answer.status === 200 ? answer : null;
    });
  }

  #node(role: NodeRole): Running & { run: RunFile } {
    const node = this.nodes.get(role);
    if (node === undefined) throw new Error(`${role} was not started`);
    return node;
  }
}
