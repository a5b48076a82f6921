import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import t from "tap";
import { callAdmin } from "../../agent/admin/index.ts";
import { readRunFile } from "../../agent/data-folder/index.ts";
import { joinGateway } from "../../gateway/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import type { DesiredEntry } from "../../protocol/bundle/index.ts";
import type { CredentialRole } from "../../protocol/content/index.ts";
import { encodeEnrolmentCode } from "../../protocol/join/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { accountContent, credentialContent, desired, historianContent } from "../support/paper-content.ts";
import { shortFolder } from "../support/short-folder.ts";
import { GatewayWorld } from "./gateway-world.ts";

const token = "token-of-the-historian";
const at = (byte: number) => new Uint8Array(16).fill(byte);

function historian(disabled = false): DesiredEntry {
  return desired(at(5), historianContent(token, ["plant-1/**"], disabled), { number: disabled ? 2 : 1 });
}

const account = desired(at(2), accountContent(at(1), "plant-1/meter/operator"));

function credential(number: number, value: string, role: CredentialRole, id = at(10 + number)): DesiredEntry {
  return desired(id, credentialContent(at(2), [number, value, role]), { number: number + 1 });
}

function conduit(nodeId: Uint8Array, name: string): DesiredEntry {
  return desired(nodeId.slice(0, 16), { kind: "conduit", nodeId, name });
}

const path = "/v1/credentials/plant-1/meter/operator";

t.test(
  "a gateway serves what was sealed to it, follows changes, and tells the vault which pending value it holds",
  async (t) => {
    const world = new GatewayWorld(t);
    await world.openVault();
    world.desired = [historian(), account, credential(0, "old", "current")];
    await world.start();
    t.match(await world.get(path, token), { status: 200, body: { password: "old", version: "1.0", source: "vault" } });
    t.equal((await world.get(path, "another token")).status, 401);
    t.ok((((await world.get(path, token)).body["ageMs"] as number) ?? 1e9) < 60_000);

    const told = () => world.facts.flatMap(({ fact }) => (fact.kind === "consumer-ack" ? [fact.index.number] : []));
    const pending = [historian(), account, credential(0, "old", "current"), credential(1, "new", "pending")];
    world.send(world.gatewayId, world.vault.delta(world.gatewayId, pending));
    await world.until(() => told().length > 0);
    t.same(told(), [1]);
    t.match((await world.get(path, token)).body, { password: "old" }, "a pending value is not served");

    const switched = [historian(), account, credential(1, "new", "current")].map((one) => ({
      ...one,
      index: { epoch: 1, number: 9 },
    }));
    const before = world.facts.length;
    world.send(world.gatewayId, world.vault.delta(world.gatewayId, switched));
    await world.until(() => world.facts.length > before);
    t.match((await world.get(path, token)).body, { password: "new", version: "1.1" });

    const disabled = [historian(true), account, credential(1, "new", "current")].map((one) => ({
      ...one,
      index: { epoch: 1, number: 10 },
    }));
    const after = world.facts.length;
    world.send(world.gatewayId, world.vault.delta(world.gatewayId, disabled));
    await world.until(() => world.facts.length > after);
    t.equal((await world.get(path, token)).status, 401);
  },
);

interface Forwarded {
  readonly index: number;
  readonly leaf: { readonly action: string; readonly actor: { readonly kind: string }; readonly outcome: string };
}

t.test("reads and logins are leaves of the log, and a collector gets them while another one hangs", async (t) => {
  const events = join(shortFolder(t), "events.jsonl");
  const hung = createServer({ pauseOnConnect: true }, (socket) => t.teardown(() => socket.destroy()));
  await once(hung.listen(0, "127.0.0.1"), "listening");
  t.teardown(() => hung.close());
  const connected = once(hung, "connection");
  const world = new GatewayWorld(t);
  await world.openVault();
  world.desired = [historian(), account, credential(0, "old", "current")];
  const { parts } = await world.start({
    forward: [
      { name: "hung", format: "rfc5424", to: "tcp", address: `127.0.0.1:${(hung.address() as AddressInfo).port}` },
      { name: "works", format: "json", to: "file", path: events },
    ],
  });
  await connected;
  t.equal((await world.get(path, token)).status, 200);
  t.equal((await world.get(path.replace("plant-1", "plant-2"), token)).status, 403);
  t.equal((await world.get(path, "token-of-nobody")).status, 401);
  const text = () => (existsSync(events) ? readFileSync(events, "utf8") : "");
  // The last one may be under way.
  const whole = () => text().split("\n").slice(0, -1);
  const lines = () => whole().map((line) => JSON.parse(line) as Forwarded);
  const theirs = () => lines().flatMap(({ leaf }) => (leaf.actor.kind === "application" ? leaf : []));
  while (theirs().length < 4) await new Promise((resolve) => setImmediate(resolve));
  const actor = { kind: "application", id: toHex(at(5)) };
  const self = { kind: "node", id: nodeIdText(world.gatewayId) };
  const read = { action: "credential.read", actor };
  t.match(
    theirs().sort((one, other) => (`${one.action} ${one.outcome}` < `${other.action} ${other.outcome}` ? -1 : 1)),
    [
      { ...read, subject: { id: "plant-2/meter/operator" }, outcome: "denied", code: "API_REFUSED" },
      { ...read, subject: { id: "plant-1/meter/operator" }, outcome: "ok", details: { version: "1.0" } },
      { action: "login.accept", actor, subject: self, outcome: "ok", details: { method: "token" } },
      { action: "login.deny", actor: { id: "unknown" }, subject: self, outcome: "denied", code: "API_UNAUTHENTICATED" },
    ],
  );
  t.same(
    lines().map(({ index }) => index),
    lines().map((_, index) => index),
    "every leaf, in order",
  );
  for (const secret of ['"old"', token, "token-of-nobody"]) t.notOk(text().includes(secret), secret);
  t.match(parts.forwards(), [
    { name: "hung", sent: 0 },
    { name: "works", missed: 0 },
  ]);
});

t.test("with the vault gone it starts, serves and says how old its word is; run.json comes and goes", async (t) => {
  const world = new GatewayWorld(t);
  await world.openVault();
  world.desired = [historian(), account, credential(0, "old", "current")];
  const first = await world.start();
  await first.close();
  t.notOk(existsSync(world.folder.run));
  await world.closeVault();
  const running = await world.start({ staleAfterS: 60 });
  t.match(readRunFile(world.folder), { role: "gateway", pid: process.pid });
  t.match(await world.get(path, token), { status: 200, body: { password: "old", vaultLastHeardAt: /^20/ } });
  const status = await callAdmin(world.folder.path, { method: "GET", path: "/v1/status" });
  t.match(status, { role: "gateway", name: "gateway-1", mode: "NORMAL", credentials: 1, applications: 1 });
  t.not((status as { tunnel: { state: string } }).tunnel.state, "open");
  await t.rejects(world.start(), { code: "DATA_LOCKED" });
  await running.close();
  await running.close();
});

t.test("an edge joins through the gateway, is admitted once the vault says so, and its items pass both ways", async (t) => {
  const world = new GatewayWorld(t);
  await world.openVault();
  const { parts } = await world.start();
  const { store, member } = await world.joinEdge();
  const edge = world.openEdge(store, member);
  const status = () => edge.tunnel.status();
  await world.until(() => "lastCode" in status() && (status() as { lastCode: string | null }).lastCode !== null);
  t.match(status(), { lastCode: "TUNNEL_REFUSED_BY_PEER" });

  world.send(world.gatewayId, world.vault.delta(world.gatewayId, [conduit(member.nodeId, "edge-1")]));
  await world.until(() => world.facts.some(({ from }) => from === "edge-1"));
  t.equal(parts.conduits.nameOf(member.nodeId), "edge-1");
  t.match(status(), { state: "open" }, "the report came by the gateway");

  const names = () => edge.opened.node.withState((view) => [...view.applications.values()].map(({ content }) => content.name));
  const reports = () => world.facts.filter(({ from }) => from === "edge-1").length;
  const before = reports();
  world.send(member.nodeId, world.vault.delta(member.nodeId, [historian()]));
  await world.until(() => names().length === 1 && reports() > before);
  t.same(names(), ["historian"]);
  const items = async () =>
    (await callAdmin(world.folder.path, { method: "GET", path: "/v1/mailboxes" })) as { way: string; items: number }[];
  t.match(await items(), [{ way: "down", items: 0 }, { way: "up" }], "acknowledged by the edge: gone");
  t.match(await callAdmin(world.folder.path, { method: "GET", path: "/v1/status" }), {
    edges: [{ name: "edge-1", connected: true }],
  });
});

t.test("what is on its way waits at the gateway while the edge or the vault is away, also over a restart", async (t) => {
  const world = new GatewayWorld(t);
  await world.openVault();
  const running = await world.start();
  const { store, member } = await world.joinEdge();
  world.send(world.gatewayId, world.vault.delta(world.gatewayId, [conduit(member.nodeId, "edge-1")]));
  world.send(member.nodeId, world.vault.delta(member.nodeId, [historian()]));
  const count = world.mailroom.outbox.length;
  await world.mailroom.until(() => world.mailroom.outbox.filter(({ sent }) => sent).length === count);
  await running.close();
  await world.closeVault();
  const again = await world.start();
  t.equal(again.parts.mailboxes.items(member.nodeId, "down", null, 9).length, 2, "the answer and the change");
  const edge = world.openEdge(store, member);
  const has = () => edge.opened.node.withState((view) => view.applications.size) === 1;
  await world.until(has);
  t.ok(has(), "delivered without the vault");
  const waiting = () => again.parts.mailboxes.items(member.nodeId, "up", null, 9).length > 0;
  edge.opened.node.flushReport();
  await world.openVault();
  await world.until(() => world.facts.some(({ from }) => from === "edge-1"));
  t.ok(waiting(), "kept until the vault's own signature says it has it");
});

t.test("a join that the vault refuses ends with a code, and what is no join never reaches it", async (t) => {
  const world = new GatewayWorld(t);
  await world.openVault();
  await world.start();
  world.refuseJoins = true;
  await t.rejects(world.joinEdge(), { code: "LINK_JOIN_REFUSED", refusal: "GATEWAY_JOIN_REFUSED" });
});

t.test("an edge that is revoked, or whose conduit is taken away, is cut off and its mailboxes go", async (t) => {
  const world = new GatewayWorld(t);
  await world.openVault();
  const { parts } = await world.start();
  const { store, member } = await world.joinEdge();
  world.send(world.gatewayId, world.vault.delta(world.gatewayId, [conduit(member.nodeId, "edge-1")]));
  const edge = world.openEdge(store, member);
  await world.until(() => world.facts.some(({ from }) => from === "edge-1"));
  t.equal(edge.tunnel.status().state, "open");
  world.send(world.gatewayId, world.vault.delta(world.gatewayId, []));
  await world.until(() => !parts.conduits.has(member.nodeId) && edge.tunnel.status().state !== "open");
  t.notOk(parts.conduits.has(member.nodeId));
  t.same(parts.mailboxes.list(), []);
  t.equal(parts.mailboxes.totalBytes, 0);
  t.match(parts.edges()?.sessions(), []);
});

t.test("a join that ended between the answer and the configuration goes on where it stood", async (t) => {
  const world = new GatewayWorld(t);
  await world.openVault();
  await (await world.start()).close();
  const { folder, unlock, seams, member } = world;
  const again = () => {
    const code = encodeEnrolmentCode(world.code);
    const dial = () => Promise.reject(new Error("nobody is asked again"));
    return joinGateway({ edges: null, api: null, apiTls: null, folder, code, unlock, seams, dial });
  };
  const config = readFileSync(folder.config, "utf8");
  await t.rejects(again(), { code: "NODE_ALREADY_JOINED" });
  rmSync(folder.config);
  t.same(await again(), member);
  t.equal(readFileSync(folder.config, "utf8"), config);
});
