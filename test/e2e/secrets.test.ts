import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import { findProgram } from "../peers/peer-process.ts";
import { peerSuite } from "../peers/peer-suite.ts";
import { until, zones } from "./built.ts";
import { Plant } from "./plant.ts";
import { descendantsOf, publicFace } from "./processes.ts";
import { searchBytes, searchFolder, searchMemory, type Wanted } from "./search.ts";
import { listeningOf, socketsOf } from "./sockets-of.ts";

const roles = ["vault", "gateway", "edge"] as const;

/** Text that stands nowhere else, of characters that every form of a search can tell apart. */
function distinctive(): string {
  return `Mark${randomBytes(12).toString("hex")}`;
}

const factory = { authPassword: `${distinctive()}A`, privPassword: `${distinctive()}P` };
const granted = distinctive();
const edgeOnly = distinctive();
t.setTimeout(240_000);
const plant = await Plant.start(t, factory);
const grantedPath = await plant.addAbsent("granted-1", granted);

/** Both fields of an account that `addAbsent` made. */
function fieldsOf(name: string, secret: string): Wanted[] {
  return ["A", "P"].map((end) => ({ name: `${name} ${end}`, value: secret + end }));
}

/** True where the memory of another process can be read; without it the search is skipped by name. */
function mayReadMemory(): boolean {
  try {
    closeSync(openSync(`/proc/${plant.pid("gateway")}/mem`, "r"));
    return true;
  } catch {
    return false;
  }
}

t.test("each node listens exactly where its configuration says", async (t) => {
  const place = (role: (typeof roles)[number], name: string) => {
    const { address, port } = plant.listeners(role)[name] ?? { address: "", port: 0 };
    return `${address}:${port}`;
  };
  t.match(place("gateway", "edges"), new RegExp(`^${zones.edges}:[1-9]`));
  t.match(place("gateway", "api-tls"), new RegExp(`^${zones.dmz}:[1-9]`));
  t.same(listeningOf(plant.pid("gateway")), [place("gateway", "api-tls"), place("gateway", "edges")].sort());
  t.same(listeningOf(plant.pid("vault")), [place("vault", "tunnel")]);
  t.same(listeningOf(plant.pid("edge"), ...descendantsOf(plant.pid("edge"))), [], "an edge listens on no network");
});

t.test(
  "every connection across a border was opened from the less trusted side's node: gateway to vault, edge to gateway",
  async (t) => {
    const connected = (pid: number) => socketsOf([pid]).filter(({ protocol, listening }) => protocol === "tcp" && !listening);
    const [vault = ""] = listeningOf(plant.pid("vault"));
    const gateway = listeningOf(plant.pid("gateway"));
    const out = connected(plant.pid("gateway")).filter(({ local }) => !gateway.includes(local));
    t.same(
      out.map(({ remote }) => remote),
      [vault],
      "one socket leaves the gateway, to where the vault listens",
    );
    for (const { local } of connected(plant.pid("vault"))) t.equal(local, vault, "the vault opened none");
    t.ok(connected(plant.pid("vault")).length > 0);
    const edges = plant.listeners("gateway")["edges"];
    t.same(
      connected(plant.pid("edge")).map(({ remote }) => remote),
      [`${edges?.address}:${edges?.port}`],
      "the edge has one, to the gateway",
    );
  },
);

t.test("a listener that nobody configured is found by the same look, on IPv4 and IPv6", async (t) => {
  for (const [host, shown] of [
    ["127.40.0.1", "127.40.0.1"],
    ["::1", "[00000000000000000000000000000001]"],
  ] as const) {
    const before = listeningOf(process.pid);
    const server = createServer();
    const open = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(0, host, () => resolve(true));
    });
    if (!open && host === "::1") {
      t.comment("this machine has no IPv6");
      continue;
    }
    const { port } = server.address() as { port: number };
    t.same(
      listeningOf(process.pid).filter((each) => !before.includes(each)),
      [`${shown}:${port}`],
    );
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Bytes that the gateway keeps for the edge. */
async function keptForEdge(): Promise<number> {
  const boxes = await plant.call<{ way: string; bytes: number }[]>("gateway", "GET", "/v1/mailboxes");
  return boxes.filter(({ way }) => way === "down").reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Fails where one of these is in the gateway's memory or in a file of it. */
function gatewayHasNot(t: Test, when: string, wanted: readonly Wanted[]): void {
  if (mayReadMemory()) {
    const { found, bytes } = searchMemory(plant.pid("gateway"), wanted);
    t.ok(bytes > 20 * 1024 * 1024, `${when}: ${bytes >> 20} MiB of memory were searched`);
    t.same(found, [], `${when}: not in its memory`);
  }
  t.same(searchFolder(plant.folder("gateway"), wanted), [], `${when}: not in its files`);
}

t.test("what passes through the gateway for an edge is never in its memory nor in its files", async (t) => {
  const memory = mayReadMemory();
  const missing = "the memory of another process cannot be read here: run as root";
  if (!memory && process.env["REQUIRE_PEERS"] === "1") t.fail(missing);
  if (!memory) t.comment(`NOT RUN: ${missing}`);

  const token = await plant.application("historian", "gw-1", grantedPath);
  await plant.reads("gateway", grantedPath, token);
  await plant.stop("edge");
  const before = await keptForEdge();
  const path = await plant.addAbsent("edge-only-1", edgeOnly);
  await until("the gateway's mailbox to keep it", async () => (await keptForEdge()) > before || null);
  const wanted = fieldsOf("edge-only", edgeOnly);
  gatewayHasNot(t, "while it waits in the mailbox", wanted);
  await plant.run("edge");
  await plant.system.edgeHolds(path, "1.0");
  gatewayHasNot(t, "after it was delivered", wanted);
  const pool = (await plant.history(path)).filter(({ status }) => status === "issued");
  t.ok(pool.length >= 2, "a pool went with it");
  const pooled: Wanted[] = [];
  for (const { version } of pool) {
    for (const [name, value] of Object.entries((await plant.reveal(path, version)).fields))
      pooled.push({ name: `${version} ${name}`, value });
  }
  gatewayHasNot(t, "its pool", pooled);

  if (memory) {
    const served = fieldsOf("granted", granted);
    const seen = await until("the served secret to be found in the gateway's memory", async () => {
      const answer = await plant.get("gateway", `/v1/credentials/${grantedPath}`, token);
      t.ok(answer.text.includes(granted));
      const { found } = searchMemory(plant.pid("gateway"), served);
      return found.length > 0 ? found : null;
    });
    t.ok(seen.length > 0, `control: what was granted and served is found: ${seen.map(({ form }) => form).join(", ")}`);
  }
  t.same(searchFolder(plant.folder("gateway"), fieldsOf("granted", granted)), [], "what it may serve is sealed in its files");
  t.equal((await plant.get("gateway", `/v1/credentials/${path}`, token)).status, 403, "and what was not granted is refused");
});

/** Every answer that the nodes give without being asked for a value. */
async function answers(path: string, tokens: { readonly gateway: string; readonly edge: string }): Promise<string> {
  const account = encodeURIComponent(path);
  const [zone, name] = path.split("/");
  const texts: unknown[] = [];
  for (const role of roles) {
    texts.push(await plant.call(role, "GET", "/v1/status"));
    texts.push(await plant.call(role, "GET", "/v1/audit?limit=1000"));
  }
  texts.push(await plant.call("gateway", "GET", "/v1/mailboxes"));
  for (const call of ["/v1/rotations", `/v1/rotation?path=${account}`]) texts.push(await plant.call("edge", "GET", call));
  const vault = [
    "devices",
    `devices/${zone}/${name}`,
    "applications",
    `credentials?path=${account}`,
    `credentials/history?path=${account}`,
  ];
  for (const call of vault) texts.push(await plant.call("vault", "GET", `/v1/${call}`));
  texts.push(await plant.call("vault", "POST", "/v1/credentials/reveal", { path: "line-4/nobody/at-all" }).catch(String));
  for (const role of ["gateway", "edge"] as const) {
    const paths = ["/healthz", "/readyz", "/metrics", "/v1/credentials/line-9/x/y", `/v1/credentials/${path}`];
    for (const each of paths) {
      if (role === "edge" && each.endsWith(path)) continue;
      texts.push((await plant.get(role, each, tokens[role])).text);
    }
  }
  return JSON.stringify(texts);
}

await peerSuite(
  t,
  {
    name: "snmpd",
    packages: "snmpd snmp",
    installed: findProgram("snmpd") !== null && findProgram("snmpget") !== null,
  },
  async (suite) => {
    suite.stated(/Net-SNMP (\S+)/.exec(plant.devices[0]?.title ?? "")?.[1] ?? "not stated");
    await suite.test(
      "a whole rotation of a real device leaves no secret in a log, a file, an answer or a process list",
      async (t) => {
        const [device] = plant.devices;
        if (device === undefined) throw new Error("no device");
        await plant.adopt();
        const tokens = {
          gateway: await plant.application("reporter", "gw-1", grantedPath),
          edge: await plant.application("operator-panel", "edge-1", "line-4/**"),
        };
        t.equal(await plant.ordered(await plant.order(device.path)), "done");
        const adapters = descendantsOf(plant.pid("edge"));
        t.ok(adapters.length > 0, "the adapter's process is still there");
        const faces = Buffer.concat([...roles.map((role) => plant.pid(role)), ...adapters].map(publicFace));
        const now = await plant.reveal(device.path);
        t.notSame(now.fields, factory);
        t.ok(await device.accepts(now.fields), "the device has the new secrets");
        const served = await plant.reads("edge", device.path, tokens.edge);
        const told = await answers(device.path, tokens);

        const wanted: Wanted[] = Object.entries(tokens).map(([name, value]) => ({ name: `token ${name}`, value }));
        for (const { version } of await plant.history(device.path)) {
          for (const [name, value] of Object.entries((await plant.reveal(device.path, version)).fields))
            wanted.push({ name: `${version} ${name}`, value });
        }
        t.ok(wanted.length >= 2 + 2 * 4, "tokens, the factory's secrets, the present ones and the pool");
        gatewayHasNot(t, "after the rotation", wanted.slice(2));
        t.same(searchBytes(faces, wanted, "arguments and environments"), []);
        t.same(searchBytes(Buffer.from(told), wanted, "answers"), []);
        const printed = [...plant.printed, ...[...plant.nodes.values()].map((node) => node.printed())].join("\n");
        t.ok(printed.includes('"role":"gateway"'), "the logs were caught");
        t.same(searchBytes(Buffer.from(printed), wanted, "logs"), []);
        for (const role of roles) {
          await plant.stop(role);
          t.ok(readdirSync(join(plant.folder(role), "audit")).length > 0, `${role} has its audit mirror`);
          t.same(searchFolder(plant.folder(role), wanted), [], `${role}: not in a file`);
        }
        t.same(searchBytes(Buffer.from(plant.printed.join("\n")), wanted, "logs"), [], "nor when they stopped");

        for (const { name, value } of wanted) {
          if (value === now.fields["authPassword"])
            t.match(searchBytes(Buffer.from(served.text), wanted, "read"), [{ name }], "control: the answer that serves it");
          const planted = join(plant.system.root, "planted", "deeper");
          mkdirSync(planted, { recursive: true });
          writeFileSync(join(planted, "leak"), `x${Buffer.from(`ab${value}`).toString("base64")}`);
          t.match(
            searchFolder(join(plant.system.root, "planted"), [{ name, value }]),
            [{ name }],
            `control: ${name} in a planted file`,
          );
          rmSync(planted, { recursive: true });
        }
      },
    );
  },
);

t.test("every process goes when it is told to", async (t) => {
  t.same(await plant.close(), []);
});
