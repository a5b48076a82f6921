import t from "tap";
import { utf8 } from "../../protocol/base/index.ts";
import type { Fact } from "../../protocol/bundle/index.ts";
import { encodeFact, fingerprintOf, makeFields } from "../../protocol/content/index.ts";
import { ingestCarrier } from "../../vault/ingest/index.ts";
import { fingerprintKeyOf } from "../../vault/registry/devices.ts";
import { type TestNode, VaultRig } from "./vault-rig.ts";

const path = "plant/pump/operator";
const edgeEnrolment = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };
const gatewayEnrolment = { name: "gw-1", role: "gateway", zone: "dmz" };
const at = { lo: 1_900_000_000, hi: null };

let nextLeaf = 3;

/** What an edge reports of the version `number` of the pump's operator. */
function rotation(edge: TestNode, number: number, outcome: string) {
  const { fingerprint } = edge.version(path, number);
  const place = { accountId: edge.accountId(path), index: { epoch: 1, number }, fingerprint };
  return encodeFact({
    kind: "rotation",
    ...place,
    state: outcome.toUpperCase(),
    outcome,
    at,
    leaf: { serial: 0, index: nextLeaf++ },
  });
}

async function history(rig: VaultRig): Promise<string[]> {
  const { versions } = await rig.call("GET", `/v1/credentials/history?path=${path}`);
  return (versions as { version: string; status: string }[]).map(({ version, status }) => `${version} ${status}`);
}

async function alarms(rig: VaultRig): Promise<string[]> {
  return ((await rig.call("GET", "/v1/alarms")) as unknown as { code: string }[]).map(({ code }) => code);
}

async function stateOf(rig: VaultRig, name: string): Promise<unknown> {
  const nodes = (await rig.call("GET", "/v1/nodes")) as unknown as { name: string; state: string }[];
  return nodes.find((node) => node.name === name)?.state;
}

/** A vault with an edge whose pump has a password. */
async function running(t: Parameters<typeof VaultRig.make>[0]): Promise<{ rig: VaultRig; edge: TestNode }> {
  const rig = await VaultRig.make(t);
  const edge = await rig.join(t, edgeEnrolment);
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await edge.exchange();
  return { rig, edge };
}

t.test(
  "a credential set at the vault reaches its edge with a pool of two, and a verified rotation moves everything on",
  async (t) => {
    const { rig, edge } = await running(t);
    const first = edge.values(path);
    t.same(first["current"], ["First-live1"]);
    t.equal(first["pool"]?.length, 2);

    edge.report([rotation(edge, 1, "verified")]);
    await edge.exchange();
    const second = edge.values(path);
    t.same(second["current"], [first["pool"]?.[1]], "number 1 of the pool, which the view lists newest first");
    t.equal(second["pool"]?.length, 2, "the next value was issued");
    t.ok(second["pool"]?.includes(first["pool"]?.[0] ?? ""));
    t.same(await history(rig), ["1.3 issued", "1.2 issued", "1.1 acknowledged", "1.0 superseded"], "nothing is ever deleted");
    t.same(await edge.exchange(), [], "both are at rest");
    t.ok(
      (await rig.outbox(edge.node.nodeId)).length <= 1,
      "the outbox shrank on the edge's own acknowledgement; an answer alone is not acknowledged",
    );
  },
);

t.test("the same report again, also after the vault was restarted, changes nothing", async (t) => {
  const { rig, edge } = await running(t);
  edge.report([rotation(edge, 1, "verified")]);
  const [report] = edge.reports();
  t.ok(report);
  await edge.exchange();
  const before = await history(rig);
  await rig.reopen();
  t.equal((await ingestCarrier(rig.core, report ?? new Uint8Array())).outcome, "duplicate");
  t.same(await history(rig), before);
});

t.test("two rotations that an edge made alone arrive in one report, and two new values are issued", async (t) => {
  const { rig, edge } = await running(t);
  edge.report([rotation(edge, 1, "verified"), rotation(edge, 2, "verified")]);
  await edge.exchange();
  t.same(await history(rig), ["1.4 issued", "1.3 issued", "1.2 acknowledged", "1.1 superseded", "1.0 superseded"]);
});

t.test("a rejected value is kept and replaced in the pool; an unknown one is an alarm and issues nothing", async (t) => {
  const { rig, edge } = await running(t);
  edge.report([rotation(edge, 1, "rejected")]);
  await edge.exchange();
  t.same(await history(rig), ["1.3 issued", "1.2 issued", "1.1 rejected", "1.0 acknowledged"]);
  edge.report([rotation(edge, 2, "unknown")]);
  await edge.exchange();
  t.same(await history(rig), ["1.3 issued", "1.2 issued", "1.1 rejected", "1.0 acknowledged"]);
  t.same(await alarms(rig), ["ROTATION_UNKNOWN"]);
});

t.test(
  "the vault shows what an edge last said about an account, and raises an alarm that comes beside its report once",
  async (t) => {
    const { rig, edge } = await running(t);
    const shown = async () => {
      const { accounts } = await rig.call("GET", "/v1/devices/plant/pump");
      const { reported } = (accounts as { reported: { state: string; code: string | null } | null }[])[0] ?? {};
      const { accountsNeedOperator } = await rig.call("GET", "/v1/status");
      return [reported?.state, reported?.code, (accountsNeedOperator as unknown[]).length];
    };
    const alarm = (code: string) => encodeFact({ kind: "alarm", code, subject: path, at });
    t.same(await shown(), [undefined, undefined, 0]);
    const cases: [string, Fact[], unknown[], string[]][] = [
      [
        "unknown",
        [rotation(edge, 1, "unknown"), alarm("ROTATION_UNKNOWN")],
        ["UNKNOWN", "ROTATION_UNKNOWN", 1],
        ["ROTATION_UNKNOWN"],
      ],
      ["proven", [rotation(edge, 0, "proven")], ["PROVEN", null, 0], []],
      [
        "another device",
        [alarm("DEVICE_IDENTITY_CHANGED")],
        ["PROVEN", "DEVICE_IDENTITY_CHANGED", 1],
        ["DEVICE_IDENTITY_CHANGED"],
      ],
      ["held", [rotation(edge, 0, "quarantine")], ["QUARANTINE", "ROTATION_HELD", 1], []],
      [
        "another zone's",
        [encodeFact({ kind: "alarm", code: "X", subject: "field/x/y", at })],
        ["QUARANTINE", "ROTATION_HELD", 1],
        ["X"],
      ],
    ];
    const expected: string[] = [];
    for (const [title, facts, state, raised] of cases) {
      edge.report(facts);
      await edge.exchange();
      expected.push(...raised);
      t.same(await shown(), state, title);
      t.same((await alarms(rig)).toSorted(), expected.toSorted(), title);
    }
  },
);

t.test("a value set anew ends the pool that the edge held, and both go on in the history", async (t) => {
  const { rig, edge } = await running(t);
  await rig.setPassword(path, "Second-live");
  await edge.exchange();
  t.same(await history(rig), [
    "1.5 issued",
    "1.4 issued",
    "1.3 acknowledged",
    "1.2 superseded",
    "1.1 superseded",
    "1.0 superseded",
  ]);
  t.same(edge.values(path)["current"], ["Second-live"]);
  t.equal(edge.values(path)["pool"]?.length, 2);
});

t.test("an edge gets the next values only when every gateway that serves the account holds them", async (t) => {
  const rig = await VaultRig.make(t);
  const gateway = await rig.join(t, gatewayEnrolment);
  const edge = await rig.join(t, { ...edgeEnrolment, via: "gw-1" });
  await rig.addPump("plant");
  await rig.call("POST", "/v1/applications", { name: "historian" });
  await rig.call("POST", "/v1/applications/historian/grants", { pattern: "plant/**" });
  await rig.setPassword(path, "First-live1");
  await edge.exchange();
  await gateway.exchange();
  t.same(edge.values(path), { current: ["First-live1"] }, "no pool yet");
  t.equal(gateway.values(path)["pending"]?.length, 2);
  t.same(gateway.values(path)["current"], ["First-live1"]);
  t.same(
    [...gateway.node.withState((view) => view.conduits.values())].map(({ content }) => content.name),
    ["edge-1"],
  );

  const accountId = gateway.accountId(path);
  gateway.report([1, 2].map((number) => encodeFact({ kind: "consumer-ack", accountId, index: { epoch: 1, number } })));
  await gateway.exchange();
  await edge.exchange();
  t.equal(edge.values(path)["pool"]?.length, 2);

  edge.report([rotation(edge, 1, "verified")]);
  await edge.exchange();
  await gateway.exchange();
  t.same(gateway.values(path)["current"], edge.values(path)["current"], "the gateway's application gets the new value");
  t.equal(edge.values(path)["pool"]?.length, 1, "the third value waits for the gateway");
});

t.test("values that an edge has are not staged until a gateway that begins to read the account holds them too", async (t) => {
  const rig = await VaultRig.make(t);
  const gateway = await rig.join(t, gatewayEnrolment);
  const edge = await rig.join(t, { ...edgeEnrolment, via: "gw-1" });
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await edge.exchange();
  const ready = async () => {
    await gateway.exchange();
    await edge.exchange();
    return edge.node.withState((view) => [...view.accounts.values()].map(({ content }) => content.consumersReady));
  };
  const pool = () => edge.values(path)["pool"]?.length ?? 0;
  t.same([await ready(), pool()], [[true], 2], "nobody reads it elsewhere");
  await rig.call("POST", "/v1/applications", { name: "historian" });
  await rig.call("POST", "/v1/applications/historian/grants", { pattern: "plant/**" });
  t.same([await ready(), pool()], [[false], 2]);
  const accountId = gateway.accountId(path);
  const hold = (number: number) =>
    gateway.report([encodeFact({ kind: "consumer-ack", accountId, index: { epoch: 1, number } })]);
  hold(1);
  t.same(await ready(), [false], "it must hold all that the edge may stage");
  hold(2);
  t.same(await ready(), [true]);

  const disable = (disabled: boolean) => rig.call("PUT", "/v1/applications/historian/disabled", { disabled });
  await disable(true);
  t.same(await ready(), [true]);
  await disable(false);
  t.same(await ready(), [false], "what was taken back is not held any more");
  await rig.call("PUT", `/v1/accounts/${path}`, { consumers: "none" });
  t.same(await ready(), [true], "where the gap is accepted nothing waits");
  t.match(await rig.call("PUT", `/v1/accounts/${path}`, {}), { consumers: "none", reconcileBy: null });
  await t.rejects(rig.call("PUT", `/v1/accounts/${path}`, { reconcileBy: path }), { code: "REGISTRY_INVALID" });
});

t.test("a gateway gets only what its own applications were granted", async (t) => {
  const rig = await VaultRig.make(t);
  const one = await rig.join(t, gatewayEnrolment);
  const two = await rig.join(t, { ...gatewayEnrolment, name: "gw-2", zone: "dmz2" });
  await rig.join(t, edgeEnrolment);
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await rig.call("POST", "/v1/applications", { name: "scada", node: "gw-1" });
  await rig.call("POST", "/v1/applications/scada/grants", { pattern: "plant/pump/*" });
  const readable = async () => {
    await one.exchange();
    await two.exchange();
    return [one, two].map((node) => node.node.withState((view) => view.credentials.size));
  };
  t.same(await readable(), [1, 0]);
  await rig.call("PUT", "/v1/applications/scada/disabled", { disabled: true });
  t.same(await readable(), [0, 0], "a disabled application's credentials are taken back");
  await rig.call("PUT", "/v1/applications/scada/disabled", { disabled: false });
  t.same(await readable(), [1, 0]);
  await rig.call("DELETE", "/v1/applications/scada/grants?pattern=plant/pump/*");
  t.same(await readable(), [0, 0]);
});

t.test("an order reaches the edge with its window, and its outcome ends it", async (t) => {
  const { rig, edge } = await running(t);
  const { orderId } = await rig.call("POST", "/v1/orders", { path, action: "rotate" });
  await edge.exchange();
  const [held] = edge.node.withState((view) => [...view.orders.values()]);
  t.match(held?.content, { kind: "order", action: "rotate" });
  t.same(held?.entry.authority, { notBefore: 1_900_000_000, notAfter: 1_900_003_600 });
  edge.report([
    encodeFact({ kind: "order-outcome", orderId: held?.entry.id ?? new Uint8Array(16), outcome: "done", code: null }),
  ]);
  await edge.exchange();
  t.match(await rig.call("GET", `/v1/orders/${orderId}`), { state: "done", outcome: "done", code: null });
  t.equal(
    edge.node.withState((view) => view.orders.size),
    0,
    "an order that ended is taken back",
  );
});

t.test("an order that is taken back leaves its edge, and ends as the edge says where that had begun it", async (t) => {
  const { rig, edge } = await running(t);
  const withdraw = () => rig.call("POST", "/v1/orders/withdraw", { path, action: "rotate" });
  await t.rejects(withdraw(), { code: "ORDER_NONE_OPEN" });
  const { orderId } = await rig.call("POST", "/v1/orders", { path, action: "rotate" });
  await rig.call("POST", "/v1/orders", { path, action: "verify" });
  await edge.exchange();
  t.match(await withdraw(), [{ orderId, state: "done", outcome: "withdrawn", code: "ORDER_WITHDRAWN" }]);
  await edge.exchange();
  const left = edge.node.withState((view) => [...view.orders.values()].map(({ content }) => content.action));
  t.same(left, ["verify"]);
  const id = Buffer.from(String(orderId), "hex");
  edge.report([encodeFact({ kind: "order-outcome", orderId: new Uint8Array(id), outcome: "done", code: null })]);
  await edge.exchange();
  t.match(await rig.call("GET", `/v1/orders/${orderId}`), { state: "done", outcome: "done", code: null });
});

t.test("an order whose time is over stays with its edge until the edge has said what became of it", async (t) => {
  const { rig, edge } = await running(t);
  const { orderId } = await rig.call("POST", "/v1/orders", { path, action: "rotate", withinS: 60 });
  await edge.exchange();
  rig.seams.nowMs += 120_000;
  await rig.setPassword(path, "Second-live");
  await edge.exchange();
  const [held] = edge.node.withState((view) => [...view.orders.values()]);
  t.ok(held);
  edge.report([
    encodeFact({
      kind: "order-outcome",
      orderId: held?.entry.id ?? new Uint8Array(16),
      outcome: "expired",
      code: "CLOCK_EXPIRED",
    }),
  ]);
  await edge.exchange();
  t.match(await rig.call("GET", `/v1/orders/${orderId}`), { state: "done", outcome: "expired" });
  t.equal(
    edge.node.withState((view) => view.orders.size),
    0,
  );
});

t.test("a node is behind by what it has not acknowledged, and by no bundle that only thanks it", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, gatewayEnrolment);
  const edge = await rig.join(t, { ...edgeEnrolment, via: "gw-1" });
  const seen = async () => {
    const nodes = (await rig.call("GET", "/v1/nodes")) as unknown as Record<string, unknown>[];
    return nodes.find(({ name }) => name === "edge-1") ?? {};
  };
  t.match(await seen(), { behind: 1, connected: null, via: "gw-1", lastHeardAtMs: null }, "joined, and never heard");
  await edge.exchange();
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  t.match(await seen(), { behind: 2 });
  await edge.exchange();
  edge.report([rotation(edge, 0, "proven")]);
  await edge.exchange();
  const { issued, acknowledged, behind } = await seen();
  t.same([Number(issued) - Number(acknowledged), behind], [1, 0], "the last bundle only acknowledges the report");
});

t.test("a node speaks for its own zone only", async (t) => {
  const { rig, edge } = await running(t);
  const other = await rig.join(t, { ...edgeEnrolment, name: "edge-2", zone: "field" });
  other.report([rotation(edge, 1, "verified")]);
  await other.exchange();
  t.same(await history(rig), ["1.2 issued", "1.1 issued", "1.0 acknowledged"]);
  t.same(await alarms(rig), ["LEDGER_UNKNOWN_INDEX"]);
});

t.test("one number with two values holds the node: nothing new is issued to it", async (t) => {
  const { rig, edge } = await running(t);
  const place = { accountId: edge.accountId(path), index: { epoch: 1, number: 1 }, fingerprint: new Uint8Array(32) };
  edge.report([
    encodeFact({ kind: "rotation", ...place, state: "VERIFIED", outcome: "verified", at, leaf: { serial: 0, index: 3 } }),
  ]);
  await edge.exchange();
  t.same(await alarms(rig), ["LEDGER_FORK"]);
  t.equal(await stateOf(rig, "edge-1"), "held");
  await rig.setPassword(path, "Third-live");
  await edge.exchange();
  t.same(edge.values(path)["current"], ["First-live1"], "what it has, it keeps");
});

t.test("a copied edge shows by its counters, and both copies are held", async (t) => {
  const { rig, edge } = await running(t);
  const copy = edge.copy(t);
  edge.report([rotation(edge, 1, "verified")]);
  await edge.exchange();
  copy.report([rotation(copy, 2, "verified")]);
  const outcomes = await copy.exchange();
  t.ok(outcomes.includes("report STREAM_FORK"), outcomes.join());
  t.same(await alarms(rig), ["STREAM_FORK"]);
  t.equal(await stateOf(rig, "edge-1"), "held");
});

t.test("reports that arrive out of order wait for the missing one", async (t) => {
  const { rig, edge } = await running(t);
  edge.report([rotation(edge, 1, "verified")]);
  edge.report([rotation(edge, 2, "verified")]);
  const [first, second] = edge.reports().slice(-2);
  t.equal((await ingestCarrier(rig.core, second ?? new Uint8Array())).outcome, "held");
  t.same(await history(rig), ["1.2 issued", "1.1 issued", "1.0 acknowledged"]);
  t.equal((await ingestCarrier(rig.core, first ?? new Uint8Array())).outcome, "applied");
  t.same((await history(rig)).slice(2), ["1.2 acknowledged", "1.1 superseded", "1.0 superseded"]);
});

t.test("a node enrolled anew under its name replaces the old one, which is believed no more", async (t) => {
  const { rig, edge } = await running(t);
  const next = await rig.join(t, edgeEnrolment);
  await next.exchange();
  t.same(next.values(path)["current"], ["First-live1"]);
  edge.report([rotation(edge, 1, "verified")]);
  const [report] = edge.reports().slice(-1);
  await t.rejects(ingestCarrier(rig.core, report ?? new Uint8Array()), { code: "TRUST_REVOKED" });
  t.same(await history(rig), ["1.2 issued", "1.1 issued", "1.0 acknowledged"]);
});

t.test("vault and edge prove their audit logs to each other", async (t) => {
  const { rig, edge } = await running(t);
  await edge.exchange();
  const proven = await rig.core.store.read((tx) => rig.core.log.provenHead(tx, edge.node.nodeId));
  t.ok((proven?.size ?? 0) > 0);
  const [row] = await rig.core.store.read((tx) => tx.selectFrom("streams").select("our_head").execute());
  t.ok(row?.our_head, "the edge told which head of ours it proved");
});

t.test(
  "an account that has had every value its model allows blocks neither its edge's reports nor a value set by hand",
  async (t) => {
    const rig = await VaultRig.make(t);
    const edge = await rig.join(t, edgeEnrolment);
    await rig.addPump("plant", {
      model: { name: "digits", constraints: { password: { kind: "number", min: 1000, max: 1999 } } },
    });
    await rig.setPassword(path, "1000");
    await edge.exchange();
    await useUp(rig);
    edge.report([rotation(edge, 1, "verified")]);
    t.notOk(
      (await edge.exchange()).some((outcome) => outcome.includes("GENERATION")),
      "the report is taken in",
    );
    const rows = await rig.core.store.read((tx) =>
      tx.selectFrom("credentials").select(["number", "status"]).where("epoch", "=", 1).execute(),
    );
    t.same(rows.map(({ number, status }) => `${number} ${status}`).sort(), ["0 superseded", "1 acknowledged", "2 issued"]);
    t.same(await alarms(rig), ["GENERATION_EXHAUSTED"]);
    t.equal(await rig.setPassword(path, "1000"), "1.3", "the live value is kept, whatever it is");
    t.same(await alarms(rig), ["GENERATION_EXHAUSTED"], "said once");
  },
);

t.test("a report that comes again in a later snapshot does not take back what a person has set since", async (t) => {
  const { rig, edge } = await running(t);
  const take = async () => {
    for (const report of edge.reports()) await ingestCarrier(rig.core, report);
  };
  const verified = rotation(edge, 1, "verified");
  const reverted = rotation(edge, 0, "reverted");
  edge.report([verified]);
  await edge.exchange();
  edge.report([reverted]);
  await take();
  t.equal(await rig.setPassword(path, "Second-live"), "1.4");
  const before = await history(rig);
  // Without an acknowledgement the edge folds everything into a snapshot.
  for (let i = 0; i < 66; i += 1) edge.report([encodeFact({ kind: "alarm", code: "ROTATION_NO_ANSWER", subject: path, at })]);
  await take();
  t.same(await history(rig), before);
});

/** Notes every value from 1000 to 1999 as one that the account had, in an epoch before all others. */
async function useUp(rig: VaultRig): Promise<void> {
  await rig.core.store.transaction(async (tx) => {
    const account = await tx.selectFrom("accounts").selectAll().executeTakeFirstOrThrow();
    const key = fingerprintKeyOf(rig.core, account);
    const known = await tx.selectFrom("credentials").selectAll().execute();
    const template = known[0];
    if (template === undefined) throw new Error("no credential");
    const had = new Set(known.map((row) => Buffer.from(row.fingerprint).toString("hex")));
    for (let value = 1000; value < 2000; value += 1) {
      const fingerprint = fingerprintOf(key, makeFields([["password", utf8(String(value))]]));
      if (had.has(Buffer.from(fingerprint).toString("hex"))) continue;
      await tx
        .insertInto("credentials")
        .values({ ...template, epoch: 0, number: value, status: "superseded", fingerprint })
        .execute();
    }
  });
}
