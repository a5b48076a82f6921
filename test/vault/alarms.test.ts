import t from "tap";
import { encodeFact } from "../../protocol/content/index.ts";
import { holdNode } from "../../vault/ingest/hold-node.ts";
import { raiseAlarm } from "../../vault/ingest/index.ts";
import { alarmsPerNode, unprovenAfterMs } from "../../vault/ingest/limits.ts";
import { raiseUnproven } from "../../vault/ingest/unproven-watch.ts";
import { random } from "./rig.ts";
import { type TestNode, VaultRig } from "./vault-rig.ts";

const path = "plant/pump/operator";
const at = { lo: 1_900_000_000, hi: null };
const alarm = (subject: string) => encodeFact({ kind: "alarm", code: "TEST_ALARM", subject, at });

interface Shown {
  readonly code: string;
  readonly subject: string;
  readonly count: number;
  readonly resolvedAtMs: number | null;
}

async function running(t: Parameters<typeof VaultRig.make>[0]): Promise<{ rig: VaultRig; edge: TestNode }> {
  const rig = await VaultRig.make(t);
  const edge = await rig.join(t, { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" });
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await edge.exchange();
  return { rig, edge };
}

async function shown(rig: VaultRig): Promise<unknown[]> {
  const alarms = (await rig.call("GET", "/v1/alarms")) as unknown as Shown[];
  return alarms.map(({ code, subject, count, resolvedAtMs }) => [
    code,
    subject,
    count,
    resolvedAtMs === null ? "stands" : "ended",
  ]);
}

let nextLeaf = 3;

/** The edge proves the live value by a login. */
async function prove(edge: TestNode): Promise<void> {
  const { fingerprint } = edge.version(path, 0);
  const value = { accountId: edge.accountId(path), index: { epoch: 1, number: 0 }, fingerprint };
  nextLeaf += 1;
  edge.report([
    encodeFact({ kind: "rotation", ...value, state: "IDLE", outcome: "proven", at, leaf: { serial: 0, index: nextLeaf } }),
  ]);
  await edge.exchange();
}

t.test("an alarm that stands is counted, ends when the account is proven, and then may be raised anew", async (t) => {
  const { rig, edge } = await running(t);
  const say = async (subject: string) => {
    edge.report([alarm(subject)]);
    await edge.exchange();
    rig.seams.nowMs += 1;
  };
  for (const subject of [path, path, "of nothing"]) await say(subject);
  t.same(await shown(rig), [
    ["TEST_ALARM", "of nothing", 1, "stands"],
    ["TEST_ALARM", path, 2, "stands"],
  ]);
  await prove(edge);
  t.match(await rig.call("GET", "/v1/status"), { alarms: 1 }, "those that stand");
  await say(path);
  t.same(await shown(rig), [
    ["TEST_ALARM", path, 1, "stands"],
    ["TEST_ALARM", "of nothing", 1, "stands"],
    ["TEST_ALARM", path, 2, "ended"],
  ]);
});

t.test("an alarm about its disk ends by the node's word, what was seen of the node itself does not", async (t) => {
  const { rig, edge } = await running(t);
  const subject = "the disk";
  const { nodeId } = edge.node;
  const [row] = await rig.core.store.read((tx) => tx.selectFrom("nodes").selectAll().where("node_id", "=", nodeId).execute());
  if (row === undefined) throw new Error("the edge has joined");
  await rig.core.store.transaction((tx) => raiseAlarm(rig.core, tx, { node: row, code: "INGEST_CLONE", subject }));
  edge.report([encodeFact({ kind: "alarm", code: "AUDIT_SPACE_LOW", subject, at })]);
  await edge.exchange();
  const codes = ["INGEST_CLONE", "AUDIT_SPACE_SHORT", "AUDIT_SPACE_LOW", "AUDIT_SPACE_LOW"];
  edge.report(codes.map((code) => encodeFact({ kind: "alarm-end", code, subject, at })));
  await edge.exchange();
  t.same((await shown(rig)).sort(), [
    ["AUDIT_SPACE_LOW", subject, 1, "ended"],
    ["INGEST_CLONE", subject, 1, "stands"],
  ]);
});

t.test("a node keeps so many alarms: then the oldest that ended goes, or the new one, and both are counted", async (t) => {
  const { rig, edge } = await running(t);
  const { nodeId } = edge.node;
  await rig.core.store.transaction(async (tx) => {
    for (let i = 0; i < alarmsPerNode - 1; i += 1) {
      const row = { alarm_id: random(16), node_id: nodeId, code: "TEST_ALARM", subject: `old ${i}`, at: i, count: 1 };
      await tx
        .insertInto("alarms")
        .values({ ...row, resolved_at: i < 2 ? 10 - i : null })
        .execute();
    }
  });
  const kept = async () => {
    const rows = await rig.core.store.read((tx) =>
      tx.selectFrom("alarms").select(["subject", "resolved_at"]).where("node_id", "=", nodeId).orderBy("at").execute(),
    );
    const [node] = (await rig.call("GET", "/v1/nodes")) as unknown as { alarmsDropped: number }[];
    return [rows.length, rows.filter((row) => row.resolved_at !== null).map((row) => row.subject), node?.alarmsDropped];
  };
  const cases: [string, unknown[]][] = [
    ["the last place", [alarmsPerNode, ["old 0", "old 1"], 0]],
    ["one more", [alarmsPerNode, ["old 0"], 1]],
    ["one more still", [alarmsPerNode, [], 2]],
    ["with none that ended", [alarmsPerNode, [], 3]],
  ];
  for (const [subject, expected] of cases) {
    edge.report([alarm(subject)]);
    await edge.exchange();
    t.same(await kept(), expected, subject);
  }
  edge.report([alarm("one more")]);
  await edge.exchange();
  t.same(await kept(), [alarmsPerNode, [], 3], "what stands already takes no place");
});

t.test("an open order says what it waits for where only a person can go on", async (t) => {
  const { rig, edge } = await running(t);
  const standstill = async (action: string) => (await rig.call("POST", "/v1/orders", { path, action }))["standstill"];
  t.equal(await standstill("rotate"), null, "nothing is in the way");
  const { fingerprint } = edge.version(path, 0);
  const value = { accountId: edge.accountId(path), index: { epoch: 1, number: 0 }, fingerprint };
  const unknown = async () => {
    nextLeaf += 1;
    const fact = { kind: "rotation", ...value, state: "UNKNOWN", outcome: "unknown", at } as const;
    edge.report([encodeFact({ ...fact, leaf: { serial: 0, index: nextLeaf } })]);
    await edge.exchange();
  };
  rig.seams.nowMs += 1;
  await unknown();
  t.same([await standstill("rotate"), await standstill("verify")], ["ROTATION_UNKNOWN", "ROTATION_UNKNOWN"]);
  const account = (set: object) => rig.core.store.transaction((tx) => tx.updateTable("accounts").set(set).execute());
  const accounts = await rig.core.store.read((tx) => tx.selectFrom("accounts").select("account_id").execute());
  await account({ reconcile_by: accounts[0]?.account_id });
  t.equal(await standstill("reconcile"), null, "which is the way out of it");
  rig.seams.nowMs += 1;
  await rig.setPassword(path, "Found-live1");
  t.equal(await standstill("rotate"), null, "the edge proves what was given");
  await account({ unsettled: 1 });
  t.equal(await standstill("rotate"), "ROTATION_ESCROW_DUE");
  const { nodeId } = edge.node;
  const [node] = await rig.core.store.read((tx) => tx.selectFrom("nodes").selectAll().where("node_id", "=", nodeId).execute());
  if (node === undefined) throw new Error("the edge has joined");
  await rig.core.store.transaction(async (tx) => {
    await holdNode(rig.core, tx, node, { code: "INGEST_LOG_FORK", subject: "its log", joinCounter: 0 });
  });
  t.equal(await standstill("rotate"), "INGEST_LOG_FORK", "nothing is issued to its edge");
});

t.test("a current value that no login has proven for a day is an alarm, once, until one does", async (t) => {
  const { rig, edge } = await running(t);
  rig.seams.nowMs += unprovenAfterMs - 1;
  t.equal(await raiseUnproven(rig.core), 0);
  rig.seams.nowMs += 1;
  t.equal(await raiseUnproven(rig.core), 1);
  t.equal(await raiseUnproven(rig.core), 0, "said once");
  t.same(await shown(rig), [["INGEST_UNPROVEN", path, 1, "stands"]]);
  await prove(edge);
  t.same(await shown(rig), [["INGEST_UNPROVEN", path, 1, "ended"]]);
  rig.seams.nowMs += unprovenAfterMs;
  t.equal(await raiseUnproven(rig.core), 0, "what was proven once");
  await rig.setPassword(path, "Second-live2");
  rig.seams.nowMs += unprovenAfterMs;
  t.equal(await raiseUnproven(rig.core), 1, "another value is another matter");
});
