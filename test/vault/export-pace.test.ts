import t from "tap";
import { createLog } from "../../agent/log/index.ts";
import { ExportPace, ExportWatch, type VaultCore } from "../../vault/streams/index.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { random } from "./rig.ts";
import { type TestNode, VaultRig } from "./vault-rig.ts";

const edge = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };
const [path, other] = ["plant/pump/operator", "plant/valve/operator"];
const nodeId = new Uint8Array(32).fill(7);

interface Plant {
  readonly rig: VaultRig;
  readonly node: TestNode;
}

/** Two accounts whose first values their edge holds; nothing waits. */
async function plant(t: Parameters<typeof VaultRig.make>[0]): Promise<Plant> {
  const rig = await VaultRig.make(t);
  const node = await rig.join(t, edge);
  for (const name of ["pump", "valve"]) {
    await rig.addPump("plant", { name });
    await rig.setPassword(`plant/${name}/operator`, `first-${name}`);
  }
  await node.exchange();
  return { rig, node };
}

/** Makes the edge one that takes a second to issue to. */
function slow({ pace, clock }: VaultCore, { node }: TestNode): void {
  const now = clock.sinceBootMs();
  pace.watch(() => {});
  pace.took(node.nodeId, { fromMs: now - 1_000, toMs: now });
}

async function waits({ core }: VaultRig, { node }: TestNode): Promise<boolean> {
  const row = await core.store.read((tx) =>
    tx.selectFrom("streams").select("put_off").where("node_id", "=", node.nodeId).executeTakeFirstOrThrow(),
  );
  return row.put_off !== null;
}

t.test("a node that takes long to issue to is left in peace for four times as long, ten seconds at most", async (t) => {
  const pace = new ExportPace(random);
  pace.took(nodeId, { fromMs: 0, toMs: 1_000 });
  t.equal(pace.leftMs(nodeId, 1_000), 0, "nobody would issue what was put off");
  pace.watch(() => {});
  const cases: [tookMs: number, leftMs: number][] = [
    [4, 0],
    [5, 20],
    [6, 24],
    [2_499, 9_996],
    [2_500, 10_000],
    [2_501, 10_000],
  ];
  for (const [tookMs, leftMs] of cases) {
    pace.took(nodeId, { fromMs: 0, toMs: tookMs });
    t.equal(pace.leftMs(nodeId, tookMs), leftMs, `${tookMs} ms`);
    t.equal(pace.leftMs(nodeId, tookMs + leftMs), 0, `${tookMs} ms, and then`);
  }
});

t.test("changes that come while a node is left in peace are one bundle", async (t) => {
  const { rig, node } = await plant(t);
  slow(rig.core, node);
  const before = await rig.outbox(node.node.nodeId);
  for (const word of ["second-1", "second-2", "second-3"]) await rig.setPassword(path, word);
  await rig.setPassword(other, "second-4");
  t.equal((await rig.outbox(node.node.nodeId)).length, before.length);
  t.ok(await waits(rig, node));

  const clock = new ManualClock();
  const woken: Uint8Array[] = [];
  const watch = new ExportWatch({
    core: {
      ...rig.core,
      clock: { ...rig.core.clock, sinceBootMs: () => rig.core.clock.sinceBootMs() + clock.sinceBootMs() - 1_000_000 },
    },
    timers: clock,
    log: createLog({ level: "silent", node: "vault" }),
    wake: (ids) => woken.push(...ids),
  });
  t.teardown(() => watch.close());
  while (woken.length === 0) await clock.advance(clock.nextInMs ?? 0);
  t.equal((await rig.outbox(node.node.nodeId)).length, before.length + 1);
  t.notOk(await waits(rig, node));
  t.ok(clock.sinceBootMs() >= 1_004_000, "not before its time");
  await node.exchange();
  t.same([node.values(path)["current"], node.values(other)["current"]], [["second-3"], ["second-4"]]);
});

t.test("what cannot wait takes along what waits, so that no order overtakes a value", async (t) => {
  const { rig, node } = await plant(t);
  slow(rig.core, node);
  await rig.setPassword(path, "second");
  t.ok(await waits(rig, node));
  await rig.call("POST", "/v1/orders", { path: other, action: "verify", withinS: 3_600 });
  t.notOk(await waits(rig, node));
  await node.exchange();
  t.same(node.values(path)["current"], ["second"]);
});

t.test("what a process put off that is gone is issued when the next one starts", async (t) => {
  const { rig, node } = await plant(t);
  slow(rig.core, node);
  await rig.setPassword(path, "second");
  await rig.reopen();
  const clock = new ManualClock();
  const woken: Uint8Array[] = [];
  const log = createLog({ level: "silent", node: "vault" });
  const watch = new ExportWatch({ core: rig.core, timers: clock, log, wake: (ids) => woken.push(...ids) });
  while (woken.length === 0) await clock.advance(0);
  await watch.close();
  t.equal(clock.pending, 0, "with nothing left to wait for no timer runs");
  await node.exchange();
  t.same(node.values(path)["current"], ["second"]);
});

t.test("a change that is taken back leaves nothing waiting, and hides nothing that waits", async (t) => {
  const { rig, node } = await plant(t);
  slow(rig.core, node);
  const { core } = rig;
  const id = node.accountId(other);
  const taken = core.store.transaction(async (tx) => {
    await core.pace.putOff(tx, node.node.nodeId, [id]);
    throw new Error("taken back");
  });
  await t.rejects(taken, { message: "taken back" });
  t.notOk(await waits(rig, node));
  await rig.setPassword(path, "second");
  await rig.call("POST", "/v1/orders", { path, action: "verify", withinS: 3_600 });
  await node.exchange();
  t.same(node.values(path)["current"], ["second"]);
});

/**
 * This process puts one account off, another one issues that and puts the other account off, then this one issues. True where the edge
 * has both.
 */
async function betweenTwo(t: Parameters<typeof VaultRig.make>[0], draw: typeof random): Promise<boolean> {
  const { rig, node } = await plant(t);
  const { nodeId } = node.node;
  const [one, two] = [new ExportPace(draw), new ExportPace(draw)];
  const { store } = rig.core;
  await store.transaction((tx) => one.putOff(tx, nodeId, [node.accountId(path)]));
  const token = async () =>
    (
      await store.read((tx) =>
        tx.selectFrom("streams").select("put_off").where("node_id", "=", nodeId).executeTakeFirstOrThrow(),
      )
    ).put_off;
  const first = await token();
  t.equal(await store.transaction((tx) => two.takeUp(tx, nodeId, { token: first, accounts: [] })), null, "it may be about any");
  await store.transaction((tx) => two.putOff(tx, nodeId, [node.accountId(other)]));
  const second = await token();
  const about = await store.transaction((tx) => one.takeUp(tx, nodeId, { token: second, accounts: [] }));
  return about === null || about.some((id) => Buffer.compare(id, node.accountId(other)) === 0);
}

t.test("what another process put off is never missed", async (t) => {
  t.ok(await betweenTwo(t, random));
});

t.test("planted: with one token for all, what another process put off is missed", async (t) => {
  t.notOk(await betweenTwo(t, (length) => new Uint8Array(length)));
});
