import { readFileSync } from "node:fs";
import t, { type Test } from "tap";
import { callAdmin } from "../../agent/admin/index.ts";
import { loadConfig } from "../../agent/config/index.ts";
import { upstreamOf } from "../../agent/node/index.ts";
import { edgeConfigSchema, type RunningEdge } from "../../edge/index.ts";
import { decodeLeaf } from "../../protocol/audit/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { sealingKeyFromSeed } from "../../protocol/keys/index.ts";
import { decodeEscrowList } from "../../protocol/rotation/index.ts";
import { openEscrow } from "../../protocol/seal/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { EdgeWorld } from "./edge-world.ts";

async function joined(t: Test): Promise<EdgeWorld> {
  const world = new EdgeWorld(t);
  await world.listen();
  await world.join();
  return world;
}

async function running(t: Test, world: EdgeWorld): Promise<RunningEdge> {
  const edge = await world.start();
  t.teardown(() => edge.close());
  return edge;
}

t.test("an edge joins over the wire, reads its snapshot and serves what was granted", async (t) => {
  const world = await joined(t);
  t.equal(loadConfig(world.folder.config, edgeConfigSchema).gateway?.address, "gateway.test:7444");
  await running(t, world);
  const { status, body } = await world.read();
  t.equal(status, 200);
  t.match(body, { username: "operator", fields: { password: "old" }, version: "1.0", rotation: "idle", source: "vault" });
  t.equal((await world.read("plant-1/meter/nobody")).status, 404);
  t.equal((await world.read("plant-2/meter/operator")).status, 403);
  t.match(JSON.parse(readFileSync(world.folder.run, "utf8")), { role: "edge", listeners: { "api-unix": {} } });
});

t.test("an ordered rotation comes down, changes the device and is reported up", async (t) => {
  const world = await joined(t);
  await running(t, world);
  await world.until(() => world.facts.some((fact) => fact.kind === "audit"));
  world.values.push([1, "new-1", "pool"], [2, "new-2", "pool"]);
  world.order("rotate");
  await world.until(() => world.facts.some((fact) => fact.kind === "order-outcome"));
  t.same(world.reports, ["proven 0", "verified 1"]);
  t.same([world.device.live, world.device.saved], ["new-1", "new-1"]);
  const { body } = await world.read();
  t.match(body, { fields: { password: "new-1" }, version: "1.1", source: "rotation", rotation: "idle" });
  world.values = [
    [1, "new-1", "current"],
    [2, "new-2", "pool"],
  ];
  world.send();
});

t.test("after a restored vault all candidates go into escrow, and nothing is rotated before it is acknowledged", async (t) => {
  const world = await joined(t);
  const edge = await running(t, world);
  await world.until(() => world.facts.some((fact) => fact.kind === "audit"));
  t.same(world.vault.escrows, [], "a vault that knows everything is told nothing");
  const recovery = sealingKeyFromSeed(new Uint8Array(32).fill(5));
  const root = world.vault.raiseRoot({ vaultEpoch: 2, recoveryKey: recovery.publicKey });
  world.values.push([1, "new-1", "pool"]);
  world.orders.push({ id: 100, action: "rotate", window: { notBefore: 0, notAfter: world.vault.nowS + 3600 } });
  world.send([root]);
  await world.until(() => world.vault.escrows.length > 0);
  const [escrow] = world.vault.escrows;
  if (escrow === undefined || world.member === null) throw new Error("no escrow");
  const list = decodeEscrowList(openEscrow({ ...escrow, vaultId: world.vault.id, nodeId: world.member.nodeId, key: recovery }));
  t.same(
    list.flatMap(({ values }) => values.map(({ index, fields }) => [...index, Buffer.from(fields[0]?.value ?? []).toString()])),
    [
      [1, 0, "old"],
      [1, 1, "new-1"],
    ],
    "the pool too: the restored vault may not know what it once issued",
  );
  const [account] = edge.parts.engine.accounts.values();
  t.equal(account?.waiting, "ROTATION_ESCROW_DUE");
  t.notOk(world.device.seen.includes("push old"));
});

t.test("vault and gateway gone: a restarted edge serves at once, and its admin socket says how things stand", async (t) => {
  const world = await joined(t);
  await (await world.start()).close();
  world.network.down = true;
  await running(t, world);
  t.match((await world.read()).body, { fields: { password: "old" } });
  const status = await callAdmin(world.folder.path, { method: "GET", path: "/v1/status" });
  t.match(status, { role: "edge", name: "edge-1", mode: "NORMAL", accounts: 1, unfinished: [] });
  t.same((await world.get("/readyz")).status, 200);
});

t.test("an operator proves and refuses by the admin socket", async (t) => {
  const world = await joined(t);
  const edge = await running(t, world);
  const call = (name: string, path: string) =>
    callAdmin(world.folder.path, { method: "POST", path: `/v1/rotations/${name}`, body: { path } });
  t.match(await call("verify", "plant-1/meter/operator"), { path: "plant-1/meter/operator", state: "IDLE" });
  await t.rejects(call("rotate", "plant-1/meter/operator"), { code: /ROTATION_(BUSY|POOL_EMPTY|IDENTITY|DEVICE_BUSY)/ });
  await t.rejects(call("verify", "plant-1/meter/nobody"), { code: "EDGE_UNKNOWN_ACCOUNT" });
  const asked = edge.parts.audit.leaves(0, 256).flatMap((bytes) => {
    const { action, actor, outcome, details } = decodeLeaf(bytes);
    return action.startsWith("order.") ? [{ action, by: actor.kind, outcome, details }] : [];
  });
  const by = "operator";
  t.same(asked, [
    { action: "order.accept", by, outcome: "ok", details: { kind: "verify" } },
    { action: "order.refuse", by, outcome: "denied", details: { kind: "rotate" } },
  ]);
  await edge.close();
  t.same(world.device.seen, ["verify old"]);
});

t.test("a value under rotation is served as in progress, and is resolved by the next process", async (t) => {
  const world = await joined(t);
  const edge = await world.start();
  world.values.push([1, "new-1", "pool"]);
  world.device.tricks.push({ op: "push", trick: "never" });
  world.order("rotate");
  await world.until(() => world.reports.includes("proven 0"));
  while (!world.device.seen.includes("push old")) await new Promise((resolve) => setImmediate(resolve));
  t.match((await world.read()).body, { fields: { password: "old" }, rotation: "in-progress" });
  await edge.close();
  world.device.live = "new-1";
  await running(t, world);
  await world.until(() => world.reports.includes("verified 1"));
  t.match((await world.read()).body, { fields: { password: "new-1" }, rotation: "idle" });
});

t.test("an edge follows the gateway that took its gateway's place, over a restart too, and no other", async (t) => {
  const world = await joined(t);
  const edge = await running(t, world);
  await world.until(() => world.facts.some((fact) => fact.kind === "audit"));
  const first = world.gatewayId;
  world.vault.revoke(1, first);
  await world.listen("gateway-2");
  const code = () => {
    const status = edge.parts.hop.status();
    return status !== null && "lastCode" in status ? status.lastCode : null;
  };
  await world.dialled(() => code() === "TUNNEL_WRONG_PEER");
  const other = world.vault.trust.members.get(toHex(world.gatewayId))?.envelope;
  edge.parts.node.learn(other === undefined ? [] : [other]);
  t.same(
    upstreamOf(edge.parts.node.trust(), nodeRole.gateway).nodeId,
    first,
    "a gateway of another name is none, whoever sent its statement",
  );
  await world.listen();
  await world.order("verify").until(() => world.facts.some((fact) => fact.kind === "order-outcome"));
  t.same(upstreamOf(edge.parts.node.trust(), nodeRole.gateway).nodeId, world.gatewayId);
  await edge.close();
  world.vault.revoke(2, first, world.gatewayId);
  await world.listen();
  const again = await running(t, world);
  await world.order("verify").until(() => world.facts.filter((fact) => fact.kind === "order-outcome").length === 2);
  t.same(upstreamOf(again.parts.node.trust(), nodeRole.gateway).nodeId, world.gatewayId, "and the one after it");
});

t.test("a gateway that a bundle revokes loses its live session at once", async (t) => {
  const world = await joined(t);
  const edge = await running(t, world);
  await world.until(() => world.facts.some((fact) => fact.kind === "audit"));
  t.equal(edge.parts.hop.status()?.state, "open");
  void world.send([world.vault.revoke(1, world.gatewayId)]);
  await world.dialled(() => edge.parts.hop.status()?.state !== "open");
  t.match(edge.parts.hop.status(), { lastCode: "TRUST_REVOKED" });
});

t.test("a revoked edge and a silent vault are red", async (t) => {
  const world = await joined(t);
  const edge = await running(t, world);
  if (world.member === null) throw new Error("not joined");
  t.equal((await world.get("/healthz")).status, 200);
  edge.parts.node.learn([world.vault.revoke(1, world.member.nodeId)]);
  const { status, body } = await world.get("/healthz");
  t.equal(status, 503);
  t.match(JSON.stringify(body), /identity/);
  t.match((await world.read()).body, { fields: { password: "old" } }, "reads go on");
});
