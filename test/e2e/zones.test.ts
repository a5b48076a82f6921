import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { callAdmin } from "../../agent/admin/index.ts";
import type { NodeRole } from "../../agent/data-folder/index.ts";
import { PeerProcess } from "../peers/peer-process.ts";
import { peerSuite } from "../peers/peer-suite.ts";
import { Snmpd, type SnmpUser, snmpdPeer, snmpgetWorks } from "../peers/snmpd.ts";
import { shortFolder } from "../support/short-folder.ts";
import { until } from "./built.ts";
import { places, ports, type Zone, Zones, zonesPeer } from "./zones.ts";

t.setTimeout(240_000);

const tidegate = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const zoneOf: Readonly<Record<NodeRole, Zone>> = { vault: "vault", gateway: "dmz", edge: "ot" };
const path = "line-4/switch-1/ops";
const factory: SnmpUser = {
  name: "ops",
  authProtocol: "SHA-256",
  privProtocol: "AES-128",
  authPassword: "factory-auth-0000",
  privPassword: "factory-priv-0000",
};

/** Reads over TLS inside a zone: place, path and token come on standard input, so that they stand in no list of processes. */
const reader = `
  const { request } = require("node:https");
  const { readFileSync } = require("node:fs");
  const { host, port, ca, path, token } = JSON.parse(readFileSync(0, "utf8"));
  const headers = { "x-tidegate-request": "true", authorization: "Bearer " + token };
  request({ host, port, path, headers, ca: readFileSync(ca), agent: false }, (response) => {
    let text = "";
    response.on("data", (part) => { text += part; });
    response.on("end", () => console.log(JSON.stringify({ status: response.statusCode, body: JSON.parse(text) })));
  }).end();
`;

interface Read {
  readonly status: number;
  readonly body: { readonly version: string; readonly fields: Readonly<Record<string, string>> };
}

/** A plant in three zones: the built processes, each where it belongs. */
class ZonedPlant {
  readonly zones: Zones;
  readonly root: string;
  readonly #running = new Map<NodeRole, PeerProcess>();

  constructor(t: Test) {
    this.zones = Zones.make(t);
    this.root = shortFolder(t);
    t.teardown(() => this.stop());
  }

  folder(role: NodeRole): string {
    return join(this.root, role);
  }

  /** Runs a program in a zone and gives what it prints. */
  program(zone: Zone, words: readonly string[], input = ""): Promise<string> {
    const [first = "", ...args] = [...this.zones.within(zone), ...words];
    return new Promise((resolve, reject) => {
      const child = execFile(first, args, { env: { PATH: process.env["PATH"] } }, (error, out, err) => {
        if (error === null) resolve(out);
        else reject(new Error(`${words.slice(1, 6).join(" ")}: ${err}`));
      });
      child.stdin?.on("error", () => {});
      child.stdin?.end(input);
    });
  }

  /** `tidegate` on the folder of a node, in its zone. */
  tidegate(role: NodeRole, words: readonly string[], input = ""): Promise<string> {
    return this.program(zoneOf[role], [process.execPath, tidegate, ...words, "--data", this.folder(role)], input);
  }

  async start(role: NodeRole): Promise<void> {
    const words = [process.execPath, tidegate, role, "run", "--data", this.folder(role)];
    const [program = "", ...args] = [...this.zones.within(zoneOf[role]), ...words];
    this.#running.set(role, await PeerProcess.start({ program, args, ready: /runs; data in/ }));
    await until(`${role}'s run.json`, async () => existsSync(join(this.folder(role), "run.json")) || null);
  }

  async stop(): Promise<void> {
    for (const each of this.#running.values()) await each.stop();
    this.#running.clear();
  }

  call<T>(role: NodeRole, method: "GET" | "POST", at: string, body?: unknown): Promise<T> {
    return callAdmin(this.folder(role), { method, path: at, body }) as Promise<T>;
  }

  async join(role: "gateway" | "edge", name: string, enroll: readonly string[], words: readonly string[]): Promise<void> {
    const code = join(this.root, `${name}.code`);
    await this.tidegate("vault", ["vault", "enroll", name, "--role", role, ...enroll, "--out", code]);
    await this.tidegate(role, [role, "join", "--from-file", code, ...words]);
    rmSync(code);
  }

  async order(): Promise<string> {
    return (await this.call<{ orderId: string }>("vault", "POST", "/v1/orders", { path, action: "rotate" })).orderId;
  }

  ordered(orderId: string): Promise<string> {
    return until(`order ${orderId} to end`, async () => {
      const order = await this.call<{ state: string; outcome: string | null }>("vault", "GET", `/v1/orders/${orderId}`);
      return order.state === "open" ? null : (order.outcome ?? "");
    });
  }

  async reveal(): Promise<{ version: string; user: SnmpUser }> {
    type Revealed = { version: string; fields: Record<string, string> };
    const { version, fields } = await this.call<Revealed>("vault", "POST", "/v1/credentials/reveal", { path });
    const field = (name: string) => Buffer.from(fields[name] ?? "", "base64").toString();
    return { version, user: { ...factory, authPassword: field("authPassword"), privPassword: field("privPassword") } };
  }

  /** The DMZ application reads, over TLS. */
  async read(token: string): Promise<Read> {
    const place = { host: places.dmz, port: ports.api, ca: join(this.folder("gateway"), "ca.pem") };
    const input = JSON.stringify({ ...place, path: `/v1/credentials/${path}`, token });
    return JSON.parse(await this.program("dmz", [process.execPath, "-e", reader], input)) as Read;
  }

  /** Until the DMZ reads this version; with the same secret as the vault. */
  reads(token: string, version: string): Promise<Read> {
    return until(`the DMZ to read ${version}`, async () => {
      const read = await this.read(token);
      return read.status === 200 && read.body.version === version ? read : null;
    });
  }

  /** Where the account stands at the edge. */
  atEdge(): Promise<{ version: string; state: string }> {
    return this.call("edge", "GET", `/v1/rotation?path=${encodeURIComponent(path)}`);
  }

  hop(role: "gateway" | "edge"): Promise<{ state: string; silentS: number | null }> {
    return this.call<{ tunnel: { state: string; silentS: number | null } }>(role, "GET", "/v1/status").then(
      ({ tunnel }) => tunnel,
    );
  }
}

/** Vault, gateway and edge run in their zones, and a switch stands in OT. */
async function wholePlant(t: Test): Promise<{ plant: ZonedPlant; snmpd: Snmpd; token: string }> {
  const plant = new ZonedPlant(t);
  await plant.tidegate("vault", ["vault", "init", "--listen", `${places.vault}:${ports.vault}`]);
  await plant.start("vault");
  const api = `${places.dmz}:${ports.api}`;
  const edges = `${places.edges}:${ports.edges}`;
  await plant.join("gateway", "gw-1", ["--zone", "dmz", "--host", places.dmz], ["--edges", edges, "--api-tls", api]);
  await plant.start("gateway");
  await plant.join("edge", "edge-1", ["--zone", "line-4", "--via", "gw-1", "--address", edges], []);
  await plant.start("edge");
  const snmpd = await Snmpd.start({ users: [factory], within: plant.zones.within("ot") });
  t.teardown(() => snmpd.stop());
  const place = ["--zone", "line-4", "--model", "net-snmp-agent", "--host", "127.0.0.1", "--port", String(snmpd.port)];
  await plant.tidegate("vault", ["device", "add", "switch-1", ...place, "--account", "ops"]);
  const secret = `authPassword=${factory.authPassword}\nprivPassword=${factory.privPassword}`;
  await plant.tidegate("vault", ["credential", "set", path, "--from-stdin"], secret);
  await plant.call("vault", "POST", "/v1/applications", { name: "historian", node: "gw-1" });
  await plant.call("vault", "POST", "/v1/applications/historian/grants", { pattern: path });
  const { token } = await plant.call<{ token: string }>("vault", "POST", "/v1/applications/historian/token");
  return { plant, snmpd, token };
}

await peerSuite(
  t,
  {
    ...zonesPeer,
    installed: zonesPeer.installed && snmpdPeer.installed,
    packages: `${zonesPeer.packages} ${snmpdPeer.packages}`,
  },
  async (suite) => {
    const { plant, snmpd, token } = await wholePlant(t);
    const { zones } = plant;
    suite.stated("as the kernel has them");
    const works = (user: SnmpUser) => snmpgetWorks(snmpd.port, user, zones.within("ot"));

    await suite.test("the whole main job runs over two wires that only the inner sides open", async (t) => {
      t.match(await plant.reads(token, "1.0"), { body: { fields: { authPassword: factory.authPassword } } });
      t.equal(await plant.ordered(await plant.order()), "done");
      const { version, user } = await plant.reveal();
      t.equal(version, "1.1");
      t.equal(await works(user), true, "snmpget logs in with what the vault calls current");
      t.equal(await works(factory), false);
      t.match(await plant.reads(token, "1.1"), { body: { fields: { authPassword: user.authPassword } } });
      t.same(zones.wrongOpenings(), { vault: 0, dmz: 0, ot: 0 });
    });

    await suite.test("a wire that swallows packets costs nobody a read", async (t) => {
      zones.swallow("ot");
      zones.swallow("vault");
      t.match(await plant.read(token), { status: 200, body: { version: "1.1" } });
      t.match(await plant.atEdge(), { version: "1.1" });
      t.equal((await plant.hop("edge")).state, "open", "nobody was told; the next two pings will tell");
    });

    await suite.test("with the cables pulled a stick carries the order in and the outcome out", async (t) => {
      zones.cable("ot", "down");
      zones.cable("vault", "down");
      const stick = join(plant.root, "stick");
      mkdirSync(stick);
      const order = await plant.order();
      await plant.tidegate("vault", ["media", "write", stick, "--person", "operator"]);
      await plant.tidegate("edge", ["media", "read", stick, "--person", "engineer"]);
      await until("the edge to rotate alone", async () => {
        const { version, state } = await plant.atEdge();
        return (version === "1.2" && state === "VERIFIED") || null;
      });
      t.match(await plant.reveal(), { version: "1.1" }, "the vault has not heard of it");
      await plant.tidegate("edge", ["media", "write", stick, "--person", "engineer"]);
      await plant.tidegate("vault", ["media", "read", stick, "--person", "operator"]);
      t.equal(await plant.ordered(order), "done");
      const { version, user } = await plant.reveal();
      t.equal(version, "1.2");
      t.equal(await works(user), true);
      t.match(await plant.read(token), { status: 200, body: { version: "1.1" } }, "the DMZ has what it had");
    });

    await suite.test(
      "the wires come back: everything converges, and no connection was ever opened from outside in",
      async (t) => {
        zones.pass();
        zones.cable("vault", "up");
        zones.cable("ot", "up");
        const { user } = await plant.reveal();
        t.match(await plant.reads(token, "1.2"), { body: { fields: { authPassword: user.authPassword } } });
        t.equal(await plant.ordered(await plant.order()), "done", "and the next rotation goes over the wire");
        const next = await plant.reveal();
        t.equal(next.version, "1.3");
        t.match(await plant.reads(token, "1.3"), { status: 200 });
        t.same(zones.wrongOpenings(), { vault: 0, dmz: 0, ot: 0 }, "no SYN from the vault, none from the DMZ to OT");
      },
    );

    await suite.test("the rules that say so do count: who tries is refused and seen", async (t) => {
      const dial = (host: string, port: number) => `const s = require("node:net").connect({ host: "${host}", port: ${port} });
      s.on("error", () => {}); setTimeout(() => process.exit(0), 300);`;
      await plant.program("vault", [process.execPath, "-e", dial(places.dmz, ports.api)]);
      await plant.program("dmz", [process.execPath, "-e", dial(places.ot, 22)]);
      const { vault, dmz } = zones.wrongOpenings();
      t.ok(vault > 0 && dmz > 0, `${vault} and ${dmz}`);
      await plant.stop();
      zones.remove();
      t.notMatch(readFileSync("/proc/self/mounts", "utf8"), zones.name("ot"), "the zones are gone");
    });
  },
);
