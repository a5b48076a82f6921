import t from "tap";
import { bundleLimits, decodeSender, encodeSender } from "../../protocol/bundle/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { decodeCarrier, encodeCarrier } from "../../protocol/envelope/index.ts";
import { ingestCarrier } from "../../vault/ingest/index.ts";
import { type TestNode, VaultRig } from "./vault-rig.ts";

const edgeEnrolment = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };

function alarm(subject: string, code = "TEST_ALARM") {
  return encodeFact({ kind: "alarm", code, subject, at: { lo: 1, hi: null } });
}

async function pair(t: Parameters<typeof VaultRig.make>[0]): Promise<{ rig: VaultRig; edge: TestNode }> {
  const rig = await VaultRig.make(t);
  const edge = await rig.join(t, edgeEnrolment);
  await edge.exchange();
  return { rig, edge };
}

/** Seals a report of one alarm. */
function reportOf(edge: TestNode, ...alarmed: Parameters<typeof alarm>): Uint8Array {
  edge.report([alarm(...alarmed)]);
  return edge.reports().at(-1) ?? new Uint8Array();
}

async function alarms(rig: VaultRig): Promise<string[]> {
  return ((await rig.call("GET", "/v1/alarms")) as unknown as { code: string }[]).map(({ code }) => code).sort();
}

t.test("a report that comes ahead of another with a body put in its place is refused, and blocks nothing", async (t) => {
  const { rig, edge } = await pair(t);
  const first = reportOf(edge, "first");
  const second = reportOf(edge, "second");
  const parts = decodeCarrier(second);
  for (const [code, body] of [
    ["BUNDLE_BODY_LENGTH", new Uint8Array(10)],
    ["BUNDLE_BODY_HASH", new Uint8Array(parts.body.length)],
  ] as const) {
    await t.rejects(ingestCarrier(rig.core, encodeCarrier({ ...parts, body })), { code });
  }
  t.equal((await ingestCarrier(rig.core, second)).outcome, "held", "the good one is kept");
  t.equal((await ingestCarrier(rig.core, first)).outcome, "applied");
  t.same(await alarms(rig), ["TEST_ALARM", "TEST_ALARM"], "and both are taken in");
});

t.test("no text that a node or a device chose stops its reports", async (t) => {
  const { rig, edge } = await pair(t);
  const texts: [subject: string, code?: string][] = [
    [`${"x".repeat(199)}\u{1f6d1} cut in the middle of a character`],
    ["not a code", "lower case"],
    ["a long code", "X".repeat(64)],
    ["\u{1f6d1}".repeat(128)],
  ];
  for (const text of texts) t.equal((await ingestCarrier(rig.core, reportOf(edge, ...text))).outcome, "applied", text[0]);
  t.same(await alarms(rig), ["CONTENT_MALFORMED", "TEST_ALARM", "TEST_ALARM", "X".repeat(64)]);
});

t.test("a node that is away for long is sent a snapshot, and its full outbox stops no change", async (t) => {
  const { rig, edge } = await pair(t);
  await rig.addPump("plant");
  const { store } = rig.core;
  await store.transaction(async (tx) => {
    const { sender: stored } = await tx.selectFrom("streams").select("sender").executeTakeFirstOrThrow();
    const sender = decodeSender(stored);
    const { epoch } = sender;
    const from = sender.nextSeq;
    const waiting = Array.from({ length: bundleLimits.unacknowledged }, (_, at) => {
      return { epoch, seq: from + at, id: new Uint8Array(32).fill(at & 0xff), kind: 0 as const };
    });
    const full = {
      ...sender,
      unacknowledged: waiting,
      nextSeq: from + waiting.length,
      prev: waiting.at(-1)?.id ?? sender.prev,
    };
    await tx
      .updateTable("streams")
      .set({ sender: encodeSender(full) })
      .execute();
  });
  await rig.setPassword("plant/pump/operator", "Opensesame1!");
  await rig.setPassword("plant/pump/operator", "Opensesame2!");
  t.same((await edge.exchange()).slice(0, 2), ["applied", "applied"], "a snapshot, whatever came before it, and what follows");
  t.same(edge.values("plant/pump/operator")["current"], ["Opensesame2!"]);
});

t.test("a node that tells of another log than its own is held to the anchor it gave", async (t) => {
  const { rig, edge } = await pair(t);
  const { log, store } = rig.core;
  const { nodeId } = edge.node;
  const anchor = await store.read((tx) => log.provenHead(tx, nodeId));
  const head = { serial: 1, size: 1, root: new Uint8Array(32) };
  t.equal(await store.transaction((tx) => log.heard(tx, nodeId, { head, proof: null, ours: null })), true, "as a forked one");
  t.same(await store.read((tx) => log.provenHead(tx, nodeId)), anchor);
});
