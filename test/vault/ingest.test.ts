import t from "tap";
import { encodeHead } from "../../agent/audit/index.ts";
import { toBase32 } from "../../protocol/base/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import type { CourierItem } from "../../protocol/courier/index.ts";
import { encodeCarrier, signEnvelope } from "../../protocol/envelope/index.ts";
import { takeLease } from "../../vault/audit/lease.ts";
import { ingestCarrier } from "../../vault/ingest/index.ts";
import { vaultMailbox } from "../../vault/streams/index.ts";
import { VaultMailroom } from "../../vault/tunnel/index.ts";
import { idOf, type TestNode, VaultRig } from "./vault-rig.ts";

const edgeEnrolment = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };
const alarm = encodeFact({ kind: "alarm", code: "TEST_ALARM", subject: "a test", at: { lo: 1, hi: null } });

async function alarms(rig: VaultRig): Promise<string[]> {
  return ((await rig.call("GET", "/v1/alarms")) as unknown as { code: string }[]).map(({ code }) => code).sort();
}

async function stateOf(rig: VaultRig, name: string): Promise<unknown> {
  const nodes = (await rig.call("GET", "/v1/nodes")) as unknown as { name: string; state: string }[];
  return nodes.find((node) => node.name === name)?.state;
}

/** A vault and an edge that know each other. */
async function pair(t: Parameters<typeof VaultRig.make>[0]): Promise<{ rig: VaultRig; edge: TestNode }> {
  const rig = await VaultRig.make(t);
  const edge = await rig.join(t, edgeEnrolment);
  await edge.exchange();
  return { rig, edge };
}

t.test("counters that went back hold the node", async (t) => {
  const { rig, edge } = await pair(t);
  await rig.core.store.transaction((tx) => tx.updateTable("nodes").set({ boot_counter: 99 }).execute());
  edge.report([alarm]);
  await edge.exchange();
  t.same(await alarms(rig), ["INGEST_CLONE", "TEST_ALARM"]);
  t.equal(await stateOf(rig, "edge-1"), "held");
});

t.test("an audit log that lost entries or shows others holds the node", async (t) => {
  for (const [title, size] of [
    ["shorter than it was", 1_000_000],
    ["other entries", 1],
  ] as const) {
    const { rig, edge } = await pair(t);
    const value = encodeHead({ serial: 0, size, root: new Uint8Array(32) });
    const name = `peer/${toBase32(edge.node.nodeId)}` as const;
    await rig.core.store.transaction((tx) => tx.updateTable("audit_marks").set({ value }).where("name", "=", name).execute());
    edge.report([alarm]);
    const [report] = edge.reports().slice(-1);
    await ingestCarrier(rig.core, report ?? new Uint8Array());
    // Without a proof that begins where we stand, other entries cannot be told from new ones: the old anchor stays.
    t.same(await alarms(rig), size > 1 ? ["INGEST_LOG_FORK", "TEST_ALARM"] : ["TEST_ALARM"], title);
    t.equal(await stateOf(rig, "edge-1"), size > 1 ? "held" : "active", title);
  }
});

t.test("a node that holds more than this vault ever issued says that the vault's store went back", async (t) => {
  const { rig, edge } = await pair(t);
  const { store } = rig.core;
  const before = await store.read((tx) => tx.selectFrom("streams").selectAll().execute());
  await rig.addPump("plant");
  for (const carrier of await rig.outbox(edge.node.nodeId)) edge.node.applyCarrier(carrier);
  await store.transaction(async (tx) => {
    for (const row of before) await tx.updateTable("streams").set(row).where("node_id", "=", row.node_id).execute();
    await tx.deleteFrom("outbox").execute();
  });
  edge.report([alarm]);
  const [report] = edge.reports().slice(-1);
  await ingestCarrier(rig.core, report ?? new Uint8Array());
  t.ok((await alarms(rig)).includes("INGEST_STORE_BEHIND"));
  t.equal(
    await stateOf(rig, "edge-1"),
    "behind",
    "the node did nothing wrong, but nothing more is issued to it under this epoch",
  );
});

t.test(
  "every truncation and a flip in every region of a report is refused by its code, and nothing of it is taken in",
  async (t) => {
    const { rig, edge } = await pair(t);
    edge.report([alarm]);
    const report = edge.reports().at(-1) ?? new Uint8Array();
    const broken: Uint8Array[] = [];
    for (let at = 0; at < report.length; at += 53) {
      const flipped = report.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      broken.push(flipped, report.slice(0, at));
    }
    for (const bytes of broken) {
      const error = await ingestCarrier(rig.core, bytes).then(
        ({ outcome }) => ({ code: outcome }),
        (refusal: { code?: string }) => refusal,
      );
      if (!/^(CARRIER|ENVELOPE|TCBOR|KEY|BUNDLE|TRUST|SEAL|STREAM)_/.test(String(error.code))) t.fail(String(error.code));
    }
    t.same(await alarms(rig), []);
    t.equal((await ingestCarrier(rig.core, report)).outcome, "applied", "the whole one is taken");
  },
);

t.test("a report that the vault's own key signed is of no node", async (t) => {
  const { rig, edge } = await pair(t);
  edge.report([alarm]);
  const report = edge.reports().at(-1) ?? new Uint8Array();
  await rig.core.store.transaction((tx) => tx.updateTable("nodes").set({ state: "replaced" }).execute());
  await t.rejects(ingestCarrier(rig.core, report), { code: "INGEST_UNEXPECTED" });
});

t.test("the mailroom takes reports and join requests for the vault, and refuses everything else by its code", async (t) => {
  const { rig, edge } = await pair(t);
  const refused: string[] = [];
  const woken: string[] = [];
  const mailroom = new VaultMailroom({
    core: rig.core,
    wake: (ids) => woken.push(...ids.map(toBase32)),
    refused: (_peer, code) => refused.push(code),
  });
  const peer = { nodeId: edge.node.nodeId, name: "edge-1", role: 2, zone: "plant", serial: 1 };
  const mailbox = vaultMailbox(rig.core);
  edge.report([alarm]);
  const report = edge.reports().at(-1) ?? new Uint8Array();
  const [bundle = new Uint8Array()] = await rig.outbox(edge.node.nodeId);
  const item = (carrier: Uint8Array, to = mailbox): CourierItem => ({ mailbox: to, id: new Uint8Array(32), carrier });
  t.equal(await mailroom.accept(peer, item(report, edge.node.nodeId)), "refused");
  t.equal(await mailroom.accept(peer, item(new Uint8Array([1, 2, 3]))), "refused");
  t.equal(await mailroom.accept(peer, item(bundle)), "refused");
  t.equal(
    await mailroom.accept(peer, item(encodeCarrier({ statements: [], envelope: joinEnvelope(edge), body: new Uint8Array(0) }))),
    "refused",
  );
  t.same(refused, ["INGEST_UNEXPECTED", "CARRIER_MALFORMED", "BUNDLE_WRONG_DIRECTION", "INGEST_UNEXPECTED"]);
  t.equal(await mailroom.accept(peer, item(report)), "stored");
  t.equal(await mailroom.accept(peer, item(report)), "stored", "a second time too");
  t.same(woken, [toBase32(edge.node.nodeId)], "its answer waits");
});

t.test("the mailroom offers what waits, oldest first, without what the peer holds or took in this session", async (t) => {
  const rig = await VaultRig.make(t);
  const gateway = await rig.join(t, { name: "gw-1", role: "gateway", zone: "dmz" });
  const edge = await rig.join(t, { ...edgeEnrolment, via: "gw-1" });
  await rig.addPump("plant");
  const mailroom = new VaultMailroom({ core: rig.core, wake: () => {}, refused: () => {} });
  const peer = { nodeId: gateway.node.nodeId, name: "gw-1", role: 1, zone: "dmz", serial: 1 };
  const ask = (more: object = {}) =>
    mailroom.outgoing(peer, { items: 10, bytes: 1e6, after: null, wants: () => true, ...more });
  mailroom.opened(peer, []);
  const all = await ask();
  const waiting = [...(await rig.outbox(gateway.node.nodeId)), ...(await rig.outbox(edge.node.nodeId))];
  t.same(new Set(all.map(({ id }) => toBase32(id))), new Set(waiting.map((carrier) => toBase32(idOf(carrier)))));
  t.equal((await ask({ items: 1 })).length, 1);
  t.equal((await ask({ bytes: 1 })).length, 1, "one item is always welcome");
  t.same((await ask({ wants: () => false })).length, 0);
  const first = all[0]?.mailbox ?? new Uint8Array();
  t.notSame((await ask({ items: 1, after: first }))[0]?.mailbox, first, "the next mailbox begins");

  mailroom.acknowledged(peer, all[0] as CourierItem, "full");
  t.equal((await ask()).length, all.length, "what had no room is offered again");
  mailroom.acknowledged(peer, all[0] as CourierItem, "stored");
  t.equal((await ask()).length, all.length - 1);
  mailroom.opened(peer, []);
  t.equal((await ask()).length, all.length, "a new session begins anew");
  const [row] = await rig.core.store.read((tx) =>
    tx.selectFrom("outbox").selectAll().where("node_id", "=", edge.node.nodeId).orderBy("seq", "desc").limit(1).execute(),
  );
  mailroom.opened(peer, [
    { nodeId: edge.node.nodeId, epoch: row?.epoch ?? 0, seq: row?.seq ?? 0, id: row?.id ?? new Uint8Array(32) },
  ]);
  t.ok(
    (await ask()).every((item) => toBase32(item.mailbox) === toBase32(gateway.node.nodeId)),
    "nothing at or below a head",
  );
  t.same(
    (await mailroom.heads(gateway.node.nodeId)).map(({ seq }) => seq),
    [0, 0],
    "heads of the gateway's and of the edge's reports",
  );
});

t.test("one process at a time holds a lease, until it ends", async (t) => {
  const rig = await VaultRig.make(t);
  const take = (holder: string, nowMs: number) =>
    rig.core.store.transaction((tx) => takeLease(tx, { name: "test", holder, nowMs, forMs: 1000 }));
  t.ok(await take("one", 0));
  t.notOk(await take("two", 999));
  t.ok(await take("one", 999), "renewed");
  t.notOk(await take("two", 1998));
  t.ok(await take("two", 1999));
  t.notOk(await take("one", 1999));
});

/** The signed envelope of any join request: only its type is looked at here. */
function joinEnvelope(node: TestNode): Uint8Array {
  return signEnvelope("join", new Uint8Array([0x80]), [node.node.identity.signing]);
}
