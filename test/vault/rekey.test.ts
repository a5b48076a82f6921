import t from "tap";
import { rekeyNode } from "../../agent/node/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import { memberOf } from "../../protocol/trust/index.ts";
import { answerJoin } from "../../vault/enrolment/index.ts";
import { ingestCarrier } from "../../vault/ingest/index.ts";
import { type TestNode, VaultRig } from "./vault-rig.ts";

type Test = Parameters<typeof VaultRig.make>[0];

const path = "plant/pump/operator";
const alarm = encodeFact({ kind: "alarm", code: "TEST_ALARM", subject: "a test", at: { lo: 1, hi: null } });

/** A gateway and an edge behind it with one account; the edge can be closed and given new keys. */
async function plant(t: Test) {
  const rig = await VaultRig.make(t);
  const gateway = await rig.join(t, { name: "gw-1", role: "gateway", zone: "dmz", address: "127.0.0.1:7443" });
  const edge = await rig.join(t, { name: "edge-1", role: "edge", zone: "plant", via: "gw-1", address: "127.0.0.1:7444" });
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await edge.exchange();
  await gateway.exchange();
  const codeFor = async (name: string) => String((await rig.call("POST", `/v1/nodes/${name}/rekey`))["code"]);
  const rekey = async (
    node: { readonly store: Pick<TestNode["store"], "reopen"> },
    code: string,
    exchange?: (request: Uint8Array) => Promise<Uint8Array | null>,
  ) => {
    const store = node.store.reopen();
    const ask = exchange ?? (async (request: Uint8Array) => (await answerJoin(rig.core, request)).carrier);
    const options = { store, code: parseEnrolmentCode(code), role: 2 as const, seams: rig.seams };
    const member = await rekeyNode({ ...options, exchange: ({ carrier }) => ask(carrier) });
    return { member, store };
  };
  return { rig, gateway, edge, codeFor, rekey };
}

t.test("a node gets new keys under its own id: it goes on, and the old keys count for nothing", async (t) => {
  const { rig, gateway, edge, codeFor, rekey } = await plant(t);
  // Something under way both ways: a bundle that it has not fetched, a report that the vault has not taken.
  await rig.setPassword(path, "Second-live");
  edge.report([alarm]);
  const [oldReport] = edge.reports();
  if (oldReport === undefined) throw new Error("no report");
  const before = edge.node.member().statement;
  edge.node.close();

  const { member, store } = await rekey(edge, await codeFor("edge-1"));
  t.match(member, { serial: 2, name: "edge-1", zone: "plant" });
  t.same(member?.nodeId, before.nodeId, "its id is for ever");
  t.same(member?.logKey, before.logKey, "and so is its log");
  t.notSame([member?.signKey, member?.sealKey, member?.tlsKeyHash], [before.signKey, before.sealKey, before.tlsKeyHash]);
  const now = rig.open(t, store, { role: "edge" });
  t.same(now.node.nodeId, before.nodeId);
  t.equal(now.node.mode, "NORMAL");
  t.same(now.values(path)["current"], ["Second-live"], "the snapshot that came with the keys");
  await t.rejects(ingestCarrier(rig.core, oldReport), { code: "BUNDLE_SIGNER_UNKNOWN" }, "signed by the old key");
  const outcomes = await now.exchange();
  t.ok(outcomes.includes("report applied"), outcomes.join());
  const alarms = (await rig.call("GET", "/v1/alarms")) as unknown as { code: string }[];
  t.ok(
    alarms.some(({ code }) => code === "TEST_ALARM"),
    "what the old key had signed was told anew",
  );
  await rig.setPassword(path, "Third-live1");
  await now.exchange();
  t.same(now.values(path)["current"], ["Third-live1"]);
  await gateway.exchange();
  t.equal(memberOf(gateway.node.trust(), before.nodeId).serial, 2, "its gateway knows of it at once");
  const nodes = (await rig.call("GET", "/v1/nodes")) as unknown as { name: string; state: string }[];
  t.match(nodes, [
    { name: "edge-1", state: "active" },
    { name: "gw-1", state: "active" },
  ]);
});

t.test("an answer that is lost is asked for again with the same keys, and a code is good for one change", async (t) => {
  const { rig, edge, codeFor, rekey } = await plant(t);
  const copy = edge.copy(t);
  copy.node.close();
  edge.node.close();
  const code = await codeFor("edge-1");
  const requests: Uint8Array[] = [];
  const lost = async (request: Uint8Array) => {
    requests.push(request);
    await answerJoin(rig.core, request);
    throw new Error("the line broke");
  };
  const disk = edge.store.reopen();
  const store = { reopen: () => disk };
  await t.rejects(rekey({ store }, code, lost), { message: "the line broke" });
  const none = await rekey({ store }, code, async (request) => {
    requests.push(request);
    return null;
  });
  t.equal(none.member, null, "by medium the answer comes later");
  t.same(requests[0], requests[1], "the same request");
  // Meanwhile it runs with the old keys, and is shown the medium with the answer.
  const running = rig.open(t, disk, { role: "edge" });
  const { carrier } = await answerJoin(rig.core, requests[0] ?? new Uint8Array(0));
  t.match(running.node.applyCarrier(carrier), { outcome: "refused", code: "BUNDLE_WRONG_KEY" });
  t.equal(running.node.member().statement.serial, 2, "what it cannot open tells it of its new keys");
  running.node.close();
  const { member } = await rekey({ store }, code);
  t.equal(member?.serial, 2);
  const asked: Uint8Array[] = [];
  const ask = async (request: Uint8Array) => {
    asked.push(request);
    return null;
  };
  await t.rejects(rekey({ store }, code, ask), { code: "NODE_CODE_SPENT" }, "a code that this node has used up");
  t.same(asked, [], "is refused before anybody is asked");
  await t.rejects(rekey(copy, code), { code: "ENROL_CODE_USED" }, "a copy of it does not know, and the vault does");
});

t.test("a clone is left behind by a change of keys", async (t) => {
  const { rig, edge, codeFor, rekey } = await plant(t);
  const copy = edge.copy(t);
  edge.report([alarm]);
  await edge.exchange();
  copy.report([alarm]);
  await copy.exchange();
  const state = async () =>
    ((await rig.call("GET", "/v1/nodes")) as unknown as { name: string; state: string }[]).find(({ name }) => name === "edge-1")
      ?.state;
  t.equal(await state(), "held", "the two contradict each other");
  edge.node.close();
  const { store } = await rekey(edge, await codeFor("edge-1"));
  const now = rig.open(t, store, { role: "edge" });
  await now.exchange();
  t.equal(await state(), "active");
  const leaves = await rig.core.store.read((tx) => tx.selectFrom("audit_leaves").select("leaf").execute());
  t.match(leaves.map(({ leaf }) => Buffer.from(leaf).toString()).join(), /"action":"node\.release"/);
  await rig.setPassword(path, "After-clone");
  await now.exchange();
  t.same(now.values(path)["current"], ["After-clone"]);
  copy.report([alarm]);
  for (const report of copy.reports().slice(-1))
    await t.rejects(ingestCarrier(rig.core, report), { code: "BUNDLE_SIGNER_UNKNOWN" });
});

t.test("a code for new keys is for its node alone, and another one is none", async (t) => {
  const { rig, edge, codeFor, rekey } = await plant(t);
  edge.node.close();
  await t.rejects(codeFor("edge-9"), { code: "REGISTRY_NOT_FOUND" });
  await t.rejects(rekey(edge, await codeFor("gw-1")), { code: "NODE_WRONG_ROLE" });
  const enrolment = { name: "edge-1", role: "edge", zone: "plant", via: "gw-1", address: "127.0.0.1:7444" };
  const { code } = await rig.call("POST", "/v1/codes", enrolment);
  await t.rejects(rekey(edge, String(code)), { code: "ENROL_REPLACES" }, "a code that would make another node of it");
});

t.test("an answer with other keys, or another's, changes nothing", async (t) => {
  const { rig, gateway, edge, codeFor, rekey } = await plant(t);
  edge.node.close();
  const [other] = await rig.outbox(gateway.node.nodeId);
  const code = await codeFor("edge-1");
  const answer = other ?? (await rig.outbox(edge.node.nodeId))[0] ?? new Uint8Array(0);
  await t.rejects(rekey(edge, code, async () => answer));
  const { member } = await rekey(edge, code);
  t.equal(member?.serial, 2);
});
