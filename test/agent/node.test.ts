import t from "tap";
import { joinNode, type NodeHooks, type OpenedNode, watchSilence } from "../../agent/node/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { sameBytes } from "../../protocol/base/index.ts";
import { bundleLimits } from "../../protocol/bundle/index.ts";
import { encodeFact, entryType } from "../../protocol/content/index.ts";
import { decodeCarrier, decodeEnvelope, encodeCarrier } from "../../protocol/envelope/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { PaperVault } from "../support/paper-vault.ts";
import { application, joined, log, Rig } from "./node-rig.ts";

const { random } = machineSeams();

t.test("a node joins, applies the answer's snapshot when it is opened, and its first report is taken", async (t) => {
  const rig = await joined(t, [application("historian")]);
  t.equal(rig.node.mode, "NORMAL");
  t.same(rig.names(), ["historian"]);
  t.equal(rig.node.member().statement.name, "edge-1");
  t.equal(rig.node.vaultLastHeardAtMs, rig.vault.nowS * 1000, "the answer names our nonce");
  t.match(rig.node.time(), { lo: rig.vault.nowS }, "and tells the time");
  t.ok(rig.node.time().hi !== null);
  const [first] = rig.report();
  t.match(first, { verdict: "apply", kind: 1, seq: 1, outcome: "advanced" });
  t.match(first?.facts, [{ kind: "audit" }]);
});

t.test("an answer that is not ours is refused before anything of it is stored", async (t) => {
  const other = new PaperVault();
  const swapped = async (rig: Rig, request: Uint8Array, code: Parameters<PaperVault["answer"]>[1]) => {
    const good = decodeCarrier(rig.vault.answer(request, code));
    return encodeCarrier({ ...good, statements: good.statements.filter((one) => !isOwn(rig, one)) });
  };
  const isOwn = (rig: Rig, statement: Uint8Array) => {
    const { type, payload } = decodeEnvelope(statement);
    return type === "member" && Buffer.from(payload).includes("edge-1") && !sameBytes(payload, rig.vault.statement.signKey);
  };
  const cases: [title: string, code: string, answer: typeof swapped][] = [
    ["no statement about us", "NODE_JOIN_ANSWER", swapped],
    [
      "another vault's roots",
      "TRUST_ROOT_PIN",
      async (rig, request, code) => {
        const good = decodeCarrier(rig.vault.answer(request, code));
        return encodeCarrier({ ...good, statements: other.statements() });
      },
    ],
    ["not a carrier", "CARRIER_MALFORMED", async () => random(100)],
    [
      "a snapshot for an older request",
      "NODE_JOIN_ANSWER",
      async (rig, request, code) => {
        rig.vault.answer(request, code);
        const id = rig.vault.trust.members.size;
        t.ok(id > 0);
        const nodeId = [...rig.vault.trust.members.values()].find(({ statement }) => statement.name === "edge-1")?.statement
          .nodeId;
        if (nodeId === undefined) throw new Error("not joined");
        const node = rig.vault.node(nodeId);
        node.sender = { ...node.sender, heardNonces: [random(16)] };
        return rig.vault.snapshot(nodeId, [], rig.vault.statements());
      },
    ],
  ];
  for (const [title, expected, answer] of cases) {
    const rig = new Rig();
    const code = rig.vault.enrol("edge-1", nodeRole.edge);
    const exchange = (request: Uint8Array) => answer(rig, request, code);
    await t.rejects(
      joinNode({ store: rig.store, code, role: nodeRole.edge, seams: rig.seams, exchange }),
      { code: expected },
      title,
    );
    t.throws(() => rig.open(), { code: "NODE_NOT_JOINED" }, title);
  }
});

t.test("a second try with the same code after a crash sends the same request", async (t) => {
  const rig = new Rig();
  const code = rig.vault.enrol("edge-1", nodeRole.edge);
  const requests: Uint8Array[] = [];
  const lost = async (request: Uint8Array): Promise<Uint8Array> => {
    requests.push(request);
    throw new Error("the line is dead");
  };
  const options = { code, role: nodeRole.edge, seams: rig.seams };
  await t.rejects(joinNode({ ...options, store: rig.store, exchange: lost }), { message: "the line is dead" });
  rig.store = rig.store.reopen();
  const exchange = async (request: Uint8Array) => {
    requests.push(request);
    return rig.vault.answer(request, code);
  };
  await joinNode({ ...options, store: rig.store, exchange });
  t.same(requests[0], requests[1]);
  await t.rejects(joinNode({ ...options, store: rig.store, exchange }), { code: "NODE_ALREADY_JOINED" });
  await t.rejects(joinNode({ ...options, role: nodeRole.gateway, store: new MemoryStore(), exchange }), {
    code: "NODE_WRONG_ROLE",
  });
});

t.test("bundles are applied in order, held over a gap, and a repeated one changes nothing", async (t) => {
  const rig = await joined(t);
  const { vault, node } = rig;
  const carriers = ["a", "b", "c"].map((name, i) => vault.delta(node.nodeId, [application(name, i + 1)]) as Uint8Array);
  const [a, b, c] = carriers as [Uint8Array, Uint8Array, Uint8Array];
  t.same(node.applyCarrier(a), { outcome: "applied", seq: 2 });
  const replaced = encodeCarrier({ ...decodeCarrier(c), body: new Uint8Array(1_000_000) });
  t.match(
    node.applyCarrier(replaced),
    { outcome: "refused", code: "BUNDLE_BODY_LENGTH" },
    "nothing but the signed body is kept",
  );
  t.same(node.applyCarrier(c), { outcome: "held" });
  t.same(node.applyCarrier(c), { outcome: "held" });
  t.same(rig.names(), ["a"]);
  const restarted = rig.crash().node;
  t.equal(restarted.status().heldItems, 1, "the held one survives a crash");
  let changes = 0;
  restarted.onChanged(() => {
    changes += 1;
  });
  t.same(restarted.applyCarrier(b), { outcome: "applied", seq: 3 });
  t.same(rig.names(), ["c"], "and follows when the gap is filled");
  t.equal(changes, 1);
  for (const carrier of carriers) t.same(restarted.applyCarrier(carrier), { outcome: "duplicate" });
  t.match(restarted.head(), { epoch: 1, seq: 4 });
  t.equal(restarted.status().heldItems, 0);
});

t.test("what is not for us, not the vault's or damaged is refused by code and nothing is applied", async (t) => {
  const rig = await joined(t, [application("kept")]);
  const { vault, node } = rig;
  const good = vault.delta(node.nodeId, [application("new", 2)]) as Uint8Array;
  const parts = decodeCarrier(good);
  const stranger = new PaperVault();
  const strangerRig = new Rig();
  const code = stranger.enrol("edge-1", nodeRole.edge);
  const exchange = async (request: Uint8Array) => stranger.answer(request, code);
  const strange = await joinNode({ store: strangerRig.store, code, role: nodeRole.edge, seams: rig.seams, exchange });
  const flipped = parts.body.slice();
  flipped[100] = (flipped[100] ?? 0) ^ 1;
  const cases: [code: string, carrier: Uint8Array][] = [
    ["BUNDLE_SIGNER_UNKNOWN", stranger.delta(strange.nodeId, [application("x")]) as Uint8Array],
    ["BUNDLE_BODY_HASH", encodeCarrier({ ...parts, body: flipped })],
    ["BUNDLE_BODY_LENGTH", encodeCarrier({ ...parts, body: parts.body.subarray(1) })],
    ["CARRIER_MALFORMED", good.subarray(1)],
  ];
  for (const [expected, carrier] of cases) t.match(node.applyCarrier(carrier), { outcome: "refused", code: expected });
  t.same(rig.names(), ["kept"]);
  t.equal(node.status().lastRefusal, "CARRIER_MALFORMED");
  t.match(node.applyCarrier(good), { outcome: "applied" });
  t.equal(node.accept({ mailbox: random(20), id: random(32), carrier: good }), "refused");
});

t.test("two bundles of one number put the node into quarantine, until a snapshot answers its new nonce", async (t) => {
  const rig = await joined(t);
  const { vault, node } = rig;
  const before = { ...vault.node(node.nodeId) };
  t.match(node.applyCarrier(vault.delta(node.nodeId, [application("one")]) as Uint8Array), { outcome: "applied" });
  Object.assign(vault.node(node.nodeId), before);
  const fork = vault.delta(node.nodeId, [application("two")]) as Uint8Array;
  t.match(node.applyCarrier(fork), { outcome: "refused", code: "STREAM_FORK" });
  t.equal(node.mode, "QUARANTINE");
  t.same(rig.names(), ["one"], "reads go on");
  t.match(node.applyCarrier(vault.snapshot(node.nodeId, [application("three")])), { code: "STREAM_NONCE_REQUIRED" });
  const reports = rig.report();
  t.match(reports.at(-1)?.facts, [{ kind: "alarm", code: "STREAM_FORK" }]);
  t.equal(reports.at(-1)?.outcome, "asks");
  t.match(node.applyCarrier(vault.snapshot(node.nodeId, [application("three")])), { outcome: "applied" });
  t.equal(node.mode, "NORMAL");
  t.same(rig.names(), ["three"]);
  t.same(
    rig.leaves("node.quarantine", "node.release").map(({ action }) => action),
    ["node.quarantine", "node.release"],
  );
});

t.test("an answer to the node's nonce that sets its clock is a leaf, once for each nonce", async (t) => {
  const rig = await joined(t);
  const set = () => rig.leaves("clock.set").length;
  const before = set();
  t.ok(before > 0, "the answer to the join told the time");
  rig.report();
  rig.node.applyCarrier(rig.vault.delta(rig.node.nodeId, [application("one")]) as Uint8Array);
  const after = set();
  rig.node.applyCarrier(rig.vault.delta(rig.node.nodeId, [application("two", 2)]) as Uint8Array);
  t.equal(set(), after, "the same nonce is answered again by every bundle");
  const [leaf] = rig.leaves("clock.set");
  t.ok(Number(leaf?.details["hi"]) >= Number(leaf?.details["lo"]));
});

t.test("a vault that is silent for longer than it may be is a leaf, once until it is heard again", async (t) => {
  const rig = await joined(t);
  const { node, audit } = rig.opened as OpenedNode;
  const stop = watchSilence({ node, audit, store: rig.store, staleAfterS: 3600, timers: rig.clock, log });
  t.teardown(stop);
  const told = () => rig.leaves("stream.stale").length;
  await rig.clock.advance(3600_000);
  t.equal(told(), 0);
  await rig.clock.advance(180_000);
  t.equal(told(), 1);
  await rig.clock.advance(7200_000);
  t.equal(told(), 1, "it is silent still");
  rig.vault.nowS += 12_000;
  rig.report();
  t.match(node.applyCarrier(rig.vault.delta(node.nodeId, [application("one")]) as Uint8Array), { outcome: "applied" });
  await rig.clock.advance(120_000);
  t.equal(told(), 1);
  await rig.clock.advance(3700_000);
  t.equal(told(), 2);
});

t.test("two roots under one version are a leaf and an alarm, however often they come", async (t) => {
  const rig = await joined(t);
  const { vault, node } = rig;
  const [one, other] = [vault.raiseRoot(), vault.forkRoot()];
  node.learn([one]);
  for (let i = 0; i < 3; i += 1) t.throws(() => node.learn([other]), { code: "TRUST_ROOT_FORK" });
  t.match(rig.leaves("root.fork"), [{ outcome: "failed", code: "TRUST_ROOT_FORK", details: { version: 2 } }]);
  t.match(
    rig.report().flatMap(({ facts }) => facts.filter(({ kind }) => kind === "alarm")),
    [{ kind: "alarm", code: "TRUST_ROOT_FORK" }],
  );
});

t.test(
  "facts wait for the vault's own acknowledgement, through crashes, and are folded into a snapshot when many wait",
  async (t) => {
    const rig = await joined(t);
    rig.report();
    const say = (subject: string) => {
      const fact = encodeFact({ kind: "identity", deviceId: random(16), identity: subject });
      rig.store.transaction((tx) => rig.node.queueReport(tx, [fact]));
    };
    say("one");
    rig.node.flushReport();
    say("two");
    rig.crash().node.flushReport();
    const told = () =>
      rig.report().flatMap(({ facts }) => facts.flatMap((fact) => (fact.kind === "identity" ? [fact.identity] : [])));
    t.same(told(), ["one", "two"]);
    t.ok(rig.node.status().waitingFacts > 0, "told is not acknowledged");
    const due = rig.vault.delta(rig.node.nodeId, [application("acknowledges")]) as Uint8Array;
    t.match(rig.node.applyCarrier(due), { outcome: "applied" });
    t.equal(rig.node.status().waitingFacts, 0);
    t.same(rig.node.reports(null, { items: 9, bytes: 1e9 }).length, 0);

    for (let i = 0; i < 70; i += 1) {
      say(`fact ${i}`);
      rig.node.flushReport();
    }
    const waiting = rig.node.reports(null, { items: 200, bytes: 1e9 });
    t.ok(waiting.length < 10, `${waiting.length} reports are kept`);
    t.equal(told().length, 70, "and they say everything");
  },
);

t.test("an item that cannot be used is inert and reported; the others apply", async (t) => {
  const rig = await joined(t);
  const bad = { type: 999, payload: new Uint8Array(3), id: random(16), index: { epoch: 1, number: 1 }, authority: null };
  t.match(rig.node.applyCarrier(rig.vault.delta(rig.node.nodeId, [bad, application("good")]) as Uint8Array), {
    outcome: "applied",
  });
  t.same(rig.names(), ["good"]);
  const facts = rig.report().flatMap((report) => report.facts);
  t.match(facts, [{ kind: "inert", type: 999, code: "CONTENT_UNKNOWN_TYPE" }, { kind: "audit" }]);
  const leaf = { outcome: "failed", code: "CONTENT_UNKNOWN_TYPE", details: { type: 999, count: 1 } };
  t.match(rig.leaves("entry.inert"), [leaf]);
});

t.test("what a hook throws refuses the whole bundle; what it returns is reported with it", async (t) => {
  const rig = await joined(t);
  let fail = true;
  const deviceId = random(16);
  const hooks: NodeHooks = {
    capabilities: ["b", "a"],
    onApply(tx, change) {
      tx.put("staged", deviceId, random(4));
      t.equal(change.before.applications.size, 0);
      t.equal(change.after.applications.size, 1);
      t.same(
        change.put.map(({ type }) => type),
        [entryType.application],
      );
      if (fail) throw new Error("a bug in a hook");
      return [encodeFact({ kind: "identity", deviceId, identity: "seen" })];
    },
  };
  rig.hooks = hooks;
  rig.crash();
  const carrier = rig.vault.delta(rig.node.nodeId, [application("x")]) as Uint8Array;
  t.throws(() => rig.node.applyCarrier(carrier), { message: "a bug in a hook" });
  t.equal(
    rig.store.read((view) => view.count("staged")),
    0,
  );
  fail = false;
  t.match(rig.node.applyCarrier(carrier), { outcome: "applied" });
  t.equal(
    rig.store.read((view) => view.count("staged")),
    1,
  );
  t.match(rig.report().at(-1)?.facts, [{ kind: "identity", identity: "seen" }, { kind: "audit" }]);
});

t.test("roots and revocations that come beside a bundle count first, also where the bundle is refused", async (t) => {
  const rig = await joined(t);
  const root = rig.vault.raiseRoot();
  const [list] = [rig.vault.revoke(1, random(20))];
  const delta = rig.vault.delta(rig.node.nodeId, [application("x")]) as Uint8Array;
  t.match(rig.node.applyCarrier(delta), { outcome: "refused", code: "BUNDLE_ROOT_MISSING", retryable: true });
  t.equal(rig.node.accept({ mailbox: rig.node.nodeId, id: random(32), carrier: delta }), "full", "it may come again");
  const parts = decodeCarrier(delta);
  const flipped = encodeCarrier({ ...parts, statements: [root, list], body: parts.body.subarray(1) });
  t.match(rig.node.applyCarrier(flipped), { code: "BUNDLE_BODY_LENGTH" });
  t.equal(rig.node.trust().roots.length, 2);
  t.equal(rig.crash().node.trust().revoked?.list.version, 1);
  t.match(rig.node.applyCarrier(delta), { outcome: "applied" });
});

t.test("a restored vault's higher epoch voids the old stream; every fact goes out again", async (t) => {
  const rig = await joined(t);
  rig.report();
  const fact = encodeFact({ kind: "identity", deviceId: random(16), identity: "not acknowledged" });
  rig.store.transaction((tx) => rig.node.queueReport(tx, [fact]));
  rig.report();
  const root = rig.vault.raiseRoot({ vaultEpoch: 2 });
  rig.node.learn([root]);
  rig.node.flushReport();
  const [first] = rig.node.reports(null, { items: 9, bytes: 1e9 });
  t.match(first, { epoch: 2, seq: 1 });
  const node = rig.vault.node(rig.node.nodeId);
  t.match(rig.node.applyCarrier(rig.vault.snapshot(rig.node.nodeId, [application("restored")])), { outcome: "applied" });
  t.equal(node.sender.epoch, 2);
  t.same(rig.names(), ["restored"]);
});

t.test("too many items ahead of a gap make the node ask for a snapshot", async (t) => {
  const rig = await joined(t);
  rig.report();
  rig.vault.delta(rig.node.nodeId, [application("lost", 1)]);
  for (let i = 0; i < bundleLimits.heldItems; i += 1) {
    t.same(rig.node.applyCarrier(rig.vault.delta(rig.node.nodeId, [application(`n${i}`, i + 2)]) as Uint8Array), {
      outcome: "held",
    });
  }
  const over = rig.vault.delta(rig.node.nodeId, [application("over", 99)]) as Uint8Array;
  t.match(rig.node.applyCarrier(over), { outcome: "refused", code: "STREAM_HELD_FULL", retryable: false });
  t.equal(rig.report().at(-1)?.outcome, "asks");
  t.match(rig.node.applyCarrier(rig.vault.snapshot(rig.node.nodeId, [application("all", 100)])), { outcome: "applied" });
  t.same([rig.names(), rig.node.status().heldItems], [["all"], 0]);
});

t.test("a full disk stops applying, reads go on", async (t) => {
  const rig = await joined(t, [application("kept")]);
  const carrier = rig.vault.delta(rig.node.nodeId, [application("new", 2)]) as Uint8Array;
  rig.store.failNext("STORE_NO_SPACE");
  t.throws(() => rig.node.applyCarrier(carrier), { code: "STORE_NO_SPACE" });
  t.same(rig.names(), ["kept"]);
  t.throws(() => rig.node.applyCarrier(carrier), { code: "STORE_STOPPED" });
  rig.crash();
  t.match(rig.node.applyCarrier(carrier), { outcome: "applied" });
});

t.test("what was applied counts at once, also where the disk fails at the item behind it", async (t) => {
  const rig = await joined(t);
  const { vault, node, store } = rig;
  const [b, c] = ["b", "c"].map((name, i) => vault.delta(node.nodeId, [application(name, i + 1)]) as Uint8Array);
  t.same(node.applyCarrier(c as Uint8Array), { outcome: "held" });
  const told: string[][] = [];
  node.onChanged(() => told.push(rig.names()));
  const commits = store.commits;
  const transaction = store.transaction.bind(store);
  store.transaction = (work) => {
    if (store.commits > commits) store.failNext("STORE_IO");
    return transaction(work);
  };
  t.throws(() => node.applyCarrier(b as Uint8Array), { code: "STORE_IO" });
  t.same(told, [["b"]]);
});

t.test("a disk that fails when the time is stored ends nothing but the writing", async (t) => {
  const rig = await joined(t, [application("kept")]);
  rig.report();
  await rig.clock.advance(60_000);
  rig.store.failNext("STORE_IO");
  await rig.clock.advance(5 * 60_000);
  t.equal(rig.store.stopped, "STORE_IO");
  t.same(rig.names(), ["kept"]);
});

t.test("the node asks for the time at each start, and says it lives each six hours", async (t) => {
  const rig = await joined(t);
  rig.report();
  rig.clock.boot = "boot-b";
  const { node } = rig.crash();
  t.equal(node.time().hi, null, "another boot knows only that it is later");
  t.equal(rig.report().length, 1);
  rig.vault.nowS += 3600;
  const entries = [application("x")];
  t.match(node.applyCarrier(rig.vault.delta(node.nodeId, entries) as Uint8Array), { outcome: "applied" });
  t.ok(node.time().hi !== null && node.time().lo >= rig.vault.nowS);
  rig.report();
  await rig.clock.advance(6 * 3_600_000 + 100);
  t.equal(rig.report().length, 1, "a heartbeat");
});

t.test("a peer that tells the highest number there is as its head gets nothing, and ends nobody", async (t) => {
  const rig = await joined(t);
  rig.node.flushReport();
  const highest = Number.MAX_SAFE_INTEGER;
  for (const after of [
    { epoch: 1, seq: highest },
    { epoch: highest, seq: highest },
  ]) {
    t.same(rig.node.reports(after, { items: 10, bytes: 1e9 }), []);
  }
  t.equal(rig.node.reports({ epoch: 1, seq: 0 }, { items: 10, bytes: 1e9 }).length, 1);
  t.same(rig.node.reports({ epoch: 1, seq: 1 }, { items: 10, bytes: 1e9 }), []);
});
