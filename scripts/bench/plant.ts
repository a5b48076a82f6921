import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callAdmin } from "../../agent/admin/index.ts";
import { readBuiltinModel } from "../../cli/models/index.ts";
import { resolveSettings } from "../../firmware-adapters/index.ts";
import { OwnProcess, runFile, tidegate } from "./own-process.ts";

const devices = 40;
const accountsPerDevice = 25;
const zone = "line-4";
/** Its credentials have two secret fields each, `authPassword` and `privPassword`. */
const modelName = "generic-snmpv3";

/**
 * The data folder of an edge that holds 1,000 credentials with their pools, made as a plant makes it: a vault, a gateway and the
 * edge run from dist/, join each other, and the credentials arrive sealed in a bundle. Afterwards no node runs.
 */
export class Plant {
  readonly #root = mkdtempSync(join(tmpdir(), "tidegate-bench-"));
  readonly #running: OwnProcess[] = [];
  /** Paths of the credentials. */
  readonly paths: readonly string[] = Array.from(
    { length: devices * accountsPerDevice },
    (_, i) => `${zone}/${deviceName(Math.floor(i / accountsPerDevice))}/${accountName(i % accountsPerDevice)}`,
  );
  /** Of an application that may read all of the zone. */
  token = "";

  private constructor() {}

  static async prepare(): Promise<Plant> {
    const plant = new Plant();
    try {
      await plant.#prepare();
      return plant;
    } catch (error) {
      await plant.close();
      throw error;
    }
  }

  folder(name: string): string {
    return join(this.#root, name);
  }

  get socket(): string {
    return join(this.folder("edge"), "api.sock");
  }

  /** Starts the edge alone; its gateway is away, which no read waits for. */
  startEdge(): OwnProcess {
    return this.#start("edge");
  }

  /** Starts the gateway alone, for an edge to have somebody to dial; returns where edges reach it. */
  async startGateway(): Promise<{ gateway: OwnProcess; host: string; port: number }> {
    const gateway = await this.#ready("gateway");
    const edges = runFile(join(this.folder("gateway"), "run.json"), gateway.pid)?.listeners["edges"];
    if (edges === undefined) throw new Error("the gateway does not listen for edges");
    return { gateway, host: edges.address, port: edges.port };
  }

  /** Starts the edge with another address of its gateway, `host:port`. */
  startEdgeTowards(address: string): OwnProcess {
    const path = join(this.folder("edge"), "tidegate.yaml");
    const config = readFileSync(path, "utf8").replace(/address: "?127\.[0-9.]+:\d+"?/, `address: "${address}"`);
    writeFileSync(path, config);
    return this.startEdge();
  }

  /** Resolves once the edge's tunnel is up: one that was cut again and again waits longer each time, up to a minute. */
  async connected(edge: OwnProcess): Promise<void> {
    const isOpen = async () => {
      const status = await callAdmin(this.folder("edge"), { method: "GET", path: "/v1/status" });
      return (status as { tunnel: { state: string } | null }).tunnel?.state === "open" ? true : null;
    };
    await edge.until("its tunnel", isOpen, 50, 90_000);
  }

  /** The edge's loopback address, once it runs. */
  async loopback(edge: OwnProcess): Promise<{ address: string; port: number }> {
    const { listeners } = await edge.until("its run.json", () => runFile(join(this.folder("edge"), "run.json"), edge.pid));
    const found = listeners["api-loopback"];
    if (found === undefined) throw new Error("the edge does not listen on loopback");
    return found;
  }

  /** Reads one credential over the edge's Unix socket. Throws unless it is answered with a value. */
  read(path: string): Promise<Answer> {
    return readAnswer({ socketPath: this.socket }, path, this.token);
  }

  /** Leaves of the running edge's audit log. */
  async auditSize(): Promise<number> {
    const status = (await callAdmin(this.folder("edge"), { method: "GET", path: "/v1/status" })) as { audit: { size: number } };
    return status.audit.size;
  }

  async close(): Promise<void> {
    for (const one of this.#running.reverse()) await one.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #prepare(): Promise<void> {
    await tidegate("vault", "init", "--data", this.folder("vault"), "--listen", "127.10.0.1:0");
    const vault = await this.#ready("vault");
    await this.#join("gateway", ["--zone", "dmz"], ["--edges", "127.20.0.2:0"]);
    const gateway = await this.#ready("gateway");
    const edges = runFile(join(this.folder("gateway"), "run.json"), gateway.pid)?.listeners["edges"];
    const via = ["--zone", zone, "--via", "gateway", "--address", `${edges?.address}:${edges?.port}`];
    // The zone begins with its edge's code; the edge joins when all is set, and learns it in one snapshot.
    await this.#enroll("edge", via);
    await this.#register();
    await this.#joinWith("edge", ["--api", "127.0.0.1:0"]);
    const edge = await this.#ready("edge");
    await edge.until("all of its credentials", async () => ((await this.#held()) === this.paths.length ? true : null));
    await edge.until("the vault to be acknowledged", async () => ((await this.#acknowledged("edge")) ? true : null));
    for (const one of [edge, gateway, vault]) await one.stop();
  }

  async #register(): Promise<void> {
    const { model } = readBuiltinModel(modelName);
    const { settings } = resolveSettings(model, {});
    const accounts = Array.from({ length: accountsPerDevice }, (_, i) => ({ name: accountName(i), username: accountName(i) }));
    for (let i = 0; i < devices; i += 1) {
      await this.#vault("POST", "/v1/devices", {
        name: deviceName(i),
        zone,
        model: { name: model.name, yaml: null, constraints: model.secrets },
        host: "127.0.0.1",
        port: 9,
        settings,
        accounts,
      });
    }
    for (const path of this.paths) {
      const fields = { authPassword: secret(), privPassword: secret() };
      await this.#vault("PUT", "/v1/credentials", { path, fields });
    }
    await this.#vault("POST", "/v1/applications", { name: "historian" });
    await this.#vault("POST", "/v1/applications/historian/grants", { pattern: `${zone}/**` });
    const { token } = (await this.#vault("POST", "/v1/applications/historian/token")) as { token: string };
    this.token = token;
  }

  async #held(): Promise<number> {
    const status = (await callAdmin(this.folder("edge"), { method: "GET", path: "/v1/status" })) as { accounts: number };
    await this.read(this.paths.at(-1) ?? "");
    return status.accounts;
  }

  async #acknowledged(name: string): Promise<boolean> {
    const { nodes } = (await this.#vault("GET", "/v1/status")) as {
      nodes: { name: string; issued: number; acknowledged: number }[];
    };
    const node = nodes.find((one) => one.name === name);
    return node !== undefined && node.acknowledged > 0;
  }

  #vault(method: "GET" | "POST" | "PUT", path: string, body?: unknown): Promise<unknown> {
    return callAdmin(this.folder("vault"), { method, path, ...(body === undefined ? {} : { body }) });
  }

  async #join(role: "gateway" | "edge", enroll: readonly string[], join: readonly string[]): Promise<void> {
    await this.#enroll(role, enroll);
    await this.#joinWith(role, join);
  }

  async #enroll(role: "gateway" | "edge", options: readonly string[]): Promise<void> {
    const out = ["--out", this.folder(`${role}.code`)];
    await tidegate("vault", "enroll", role, "--role", role, "--data", this.folder("vault"), ...options, ...out);
  }

  async #joinWith(role: "gateway" | "edge", options: readonly string[]): Promise<void> {
    const code = this.folder(`${role}.code`);
    await tidegate(role, "join", "--data", this.folder(role), "--from-file", code, ...options);
    rmSync(code);
  }

  #start(role: "vault" | "gateway" | "edge"): OwnProcess {
    const started = OwnProcess.node(role, this.folder(role));
    this.#running.push(started);
    return started;
  }

  async #ready(role: "vault" | "gateway" | "edge"): Promise<OwnProcess> {
    const started = this.#start(role);
    await started.until("its run.json", () => runFile(join(this.folder(role), "run.json"), started.pid));
    return started;
  }
}

export interface Answer {
  /** Names and values in the order of the wire. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** One authenticated read. Throws unless it is answered with a value. */
export function readAnswer(
  at: { readonly socketPath: string } | { readonly host: string; readonly port: number },
  path: string,
  token: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...at, path: `/v1/credentials/${path}`, headers: readHeaders(token) }, (got) => {
      const parts: Buffer[] = [];
      got.on("data", (part: Buffer) => parts.push(part));
      got.once("error", reject);
      got.once("end", () => {
        const body = Buffer.concat(parts);
        if (got.statusCode === 200) resolve({ headers: got.rawHeaders, body });
        else reject(new Error(`${path} is answered with ${got.statusCode}: ${body}`));
      });
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}

/** What a read needs besides its path. */
export function readHeaders(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}`, "x-tidegate-request": "true" };
}

function deviceName(i: number): string {
  return `meter-${String(i).padStart(2, "0")}`;
}

function accountName(i: number): string {
  return `user-${String(i).padStart(2, "0")}`;
}

/** As long as the vault's own values for this model, base64 as the admin API takes it. */
function secret(): string {
  return Buffer.from(`Aa9${randomBytes(12).toString("hex")}`).toString("base64");
}
