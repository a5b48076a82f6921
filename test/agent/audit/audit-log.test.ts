import { join } from "node:path";
import t from "tap";
import { maxNotedReads, maxNotedRefusals, readRoot, storeStorage } from "../../../agent/audit/index.ts";
import { machineSeams } from "../../../agent/seams/index.ts";
import { openStore } from "../../../agent/store/index.ts";
import { decodeCheckpoint, decodeLeaf, emptyTree, rootOf, sequence, verifyConsistency } from "../../../protocol/audit/index.ts";
import { Secret } from "../../../protocol/base/index.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { shortFolder } from "../../support/short-folder.ts";
import { fill, node, openRig, read, rotated } from "./rig.ts";

type Rig = ReturnType<typeof openRig>;
const leaves = ({ log }: Rig) => log.leaves(0, 100_000).map(decodeLeaf);
const actions = (rig: Rig) => leaves(rig).map((leaf) => leaf.action);

t.test("each leaf stands where append said, with the node's time and name", async (t) => {
  const store = new MemoryStore();
  const rig = openRig({ store });
  t.same(
    store.transaction((tx) => rig.log.append(tx, rotated(7))),
    { serial: 0, index: 1 },
  );
  const leaf = leaves(rig)[1];
  t.match(leaf, {
    log: 0,
    index: 1,
    time: [1_700_000_005_000, null],
    wallMs: 86_405_000,
    boot: "boot-1",
    sinceBootMs: 5000,
    node,
  });
  t.match(leaf, { action: "rotation.verified", outcome: "ok", code: null, details: { epoch: 1, number: 7 } });
});

t.test("the log is the same however its leaves were committed, and the store can be opened again at any size", async (t) => {
  const one = new MemoryStore();
  const many = new MemoryStore();
  const [a, b] = [openRig({ store: one }), openRig({ store: many })];
  for (const count of [1, 254, 1, 255, 513, 7]) {
    fill(one, a.log, count);
    for (let number = 0; number < count; number += 1) many.transaction((tx) => b.log.append(tx, rotated(number)));
    t.same(b.log.head(), a.log.head());
    t.same(b.log.leaves(0, 5000), a.log.leaves(0, 5000));
    t.same(b.log.leaves(200, 400), a.log.leaves(0, 5000).slice(200, 600));
    const reopened = openRig({ store: one.reopen() }).log;
    const whole = reopened.leaves(0, 5000);
    t.same(reopened.head().root, rootOf(sequence(emptyTree, whole).state), `after ${whole.length} leaves`);
    t.equal(whole.length, a.log.head().size + 1, "the leaf of the start is new");
  }
  const rows = (store: MemoryStore) => store.read((view) => [view.count("audit-bundle"), view.count("audit-part")]);
  t.same(rows(one), [2, 7], "leaves of one bundle that came together are one row");
  t.same(rows(many), [4, 8], "a full bundle of many parts is one row");
  for (const [from, limit] of [
    [0, 1],
    [255, 2],
    [250, 600],
    [1024, 100],
    [1031, 9],
    [2000, 5],
  ] as const) {
    t.same(a.log.leaves(from, limit), a.log.leaves(0, 5000).slice(from, from + limit), `${limit} leaves from ${from}`);
  }
});

t.test("leaves of transactions that share a commit share rows, but for those that are rolled back", async (t) => {
  const folder = shortFolder(t);
  const open = () =>
    openStore({
      path: join(folder, "node.db"),
      markPath: join(folder, "mark"),
      key: new Secret(new Uint8Array(32).fill(3)),
      random: machineSeams().random,
      failpoint: () => {},
    });
  let store = open();
  const rig = openRig({ store });
  const kept: number[] = [];
  for (let round = 0; round < 12; round += 1) {
    store.together(() => {
      for (let part = 0; part < 30; part += 1) {
        const numbers = [1000 * round + 10 * part, 1000 * round + 10 * part + 1];
        const work = () =>
          store.transaction((tx) => {
            for (const number of numbers) rig.log.append(tx, rotated(number));
            if ((round + part) % 10 === 0) throw new Error("the owner failed");
            kept.push(...numbers);
          });
        if ((round + part) % 10 === 0) t.throws(work, { message: "the owner failed" });
        else work();
      }
    });
  }
  const parts = store.read((view) => view.count("audit-part"));
  const tail = rig.log.head().size % 256;
  t.ok(parts > 1 && parts * 4 < tail, `${parts} rows for ${tail} leaves`);
  store.close();
  store = open();
  const again = openRig({ store });
  t.same(
    leaves(again)
      .filter(({ action }) => action === "rotation.verified")
      .map(({ details }) => details["number"]),
    kept,
  );
  t.same(again.log.head().root, rootOf(sequence(emptyTree, again.log.leaves(0, 5000)).state));
  store.close();
});

t.test("a transaction that rolls back takes its leaves along", async (t) => {
  const store = new MemoryStore();
  const rig = openRig({ store });
  for (let round = 0; round < 40; round += 1) {
    const failing = () =>
      store.transaction((tx) => {
        for (let number = 0; number < round; number += 1) rig.log.append(tx, rotated(1000 + number));
        throw new Error("the owner failed");
      });
    t.throws(failing, { message: "the owner failed" });
    t.equal(store.transaction((tx) => rig.log.append(tx, rotated(round))).index, round + 1);
  }
  t.same(
    leaves(rig)
      .slice(1)
      .map((leaf) => leaf.details["number"]),
    Array.from({ length: 40 }, (_, number) => number),
  );
  t.same(rig.log.head().root, rootOf(sequence(emptyTree, rig.log.leaves(0, 100)).state));
});

t.test("checkpoints come at the start, at most each minute, and at the end", async (t) => {
  const store = new MemoryStore();
  const rig = openRig({ store });
  const size = () => decodeCheckpoint(rig.log.lastCheckpoint() as Uint8Array).size;
  t.equal(size(), 1, "at the start, over the leaf that says so");
  rig.time.pass(600_000);
  t.equal(size(), 1, "none without new leaves");
  fill(store, rig.log, 3);
  rig.time.pass(0);
  t.equal(size(), 4, "at once when the last is older than a minute");
  fill(store, rig.log, 3);
  rig.time.pass(59_999);
  t.equal(size(), 4);
  rig.time.pass(1);
  t.equal(size(), 7);
  fill(store, rig.log, 1);
  await rig.log.close("test");
  await rig.log.close("again");
  t.equal(size(), 9);
  t.match(leaves(rig).at(-1), { action: "node.stop", details: { reason: "test" } });
  t.equal(rig.log.checkpoint(), null);
});

t.test("the leaf of the start tells how the last run ended", async (t) => {
  const store = new MemoryStore();
  const first = openRig({ store });
  t.equal(first.log.lastStop, "first");
  await first.log.close();
  const second = openRig({ store });
  t.equal(second.log.lastStop, "clean");
  const third = openRig({ store: store.reopen() });
  t.equal(third.log.lastStop, "crash");
  t.match(leaves(third).at(-1), { action: "node.start", details: { lastStop: "crash", readWindowMs: 100 } });
});

t.test("reads are logged within 100 ms, equal ones counted", async (t) => {
  const store = new MemoryStore();
  const rig = openRig({ store });
  const [commits, waits] = [store.commits, store.waits];
  for (let count = 0; count < 1000; count += 1) rig.log.noteRead(read(count % 10 === 0 ? "b" : "a"));
  rig.time.pass(30);
  rig.log.noteRead(read("a", "historian"));
  t.equal(store.commits, commits);
  rig.time.pass(50);
  t.same([store.commits, store.waits], [commits + 1, waits], "nothing waits for the disk");
  t.same(
    leaves(rig)
      .slice(1)
      .map((leaf) => [leaf.actor.id, leaf.subject.id, leaf.details["count"], leaf.details["spanMs"]]),
    [
      ["hmi", "b", 100, 70],
      ["hmi", "a", 900, 70],
      ["historian", "a", 1, 40],
    ],
  );
  rig.log.noteRead(read("c"));
  await rig.log.close();
  t.same(actions(rig).slice(-2), ["credential.read", "node.stop"]);
  t.same(actions(openRig({ store: store.reopenAfterPowerCut() })).slice(-3), ["credential.read", "node.stop", "node.start"]);
  rig.log.noteRead(read("c"));
});

t.test("a node waits for the disk only where a sync takes longer than the window", async (t) => {
  for (const quick of [true, false]) {
    const store = new MemoryStore();
    const rig = openRig({ store });
    const waits = store.waits;
    rig.log.noteRead(read("a"));
    rig.time.pass(80);
    // What is synced beside the event loop is done once that turns.
    if (quick) await null;
    rig.time.pass(19);
    t.equal(store.waits, waits);
    rig.time.pass(1);
    t.equal(store.waits, quick ? waits : waits + 1);
    const found = openRig({ store: store.reopenAfterPowerCut() });
    t.same(actions(found), ["node.start", "credential.read", "node.start"], "100 ms after a read its leaf is there for good");
  }
});

t.test("a power cut loses the window's reads and nothing else: the chain holds, and the next start says so", async (t) => {
  const store = new MemoryStore();
  const rig = openRig({ store });
  const cut = () => openRig({ store: store.reopenAfterPowerCut() });
  rig.log.noteRead(read("a"));
  rig.time.pass(80);
  t.equal(actions(rig).at(-1), "credential.read");
  const lost = cut();
  t.same(actions(lost), ["node.start", "node.start"]);
  t.match(leaves(lost).at(-1), { details: { lastStop: "crash", readWindowMs: 100 } });
  t.same(lost.log.head().root, rootOf(sequence(emptyTree, lost.log.leaves(0, 100)).state));
  fill(store, rig.log, 1);
  t.same(
    actions(cut()),
    ["node.start", "credential.read", "rotation.verified", "node.start"],
    "a change of state takes along what came before it",
  );
});

t.test("more different reads than the window holds leave a gap leaf", async (t) => {
  for (const extra of [-1, 0, 1]) {
    const rig = openRig({ store: new MemoryStore() });
    for (let count = 0; count < maxNotedReads + extra; count += 1) rig.log.noteRead(read(`account-${count}`));
    rig.time.pass(100);
    const last = leaves(rig).at(-1);
    if (extra <= 0) t.equal(last?.action, "credential.read");
    else t.match(last, { action: "audit.gap", outcome: "failed", details: { count: 1 } });
  }
});

t.test("whoever is refused for many paths, with a token or without, fills no log", async (t) => {
  for (const extra of [-1, 0, 1, 5_000]) {
    const rig = openRig({ store: new MemoryStore() });
    for (let count = 0; count < maxNotedRefusals + extra; count += 1) {
      rig.log.noteRead({ ...read(`account-${count}`, "unknown"), outcome: "denied", code: "API_UNAUTHENTICATED" });
    }
    rig.log.noteRead(read("a"));
    rig.time.pass(100);
    const found = leaves(rig).slice(1);
    t.equal(found.length, Math.min(maxNotedRefusals + extra, maxNotedRefusals + 1) + 1);
    t.match(found.at(-1), { outcome: "ok", subject: { id: "a" } }, "what is read is logged as ever");
    const counted = found.slice(0, -1).reduce((sum, leaf) => sum + Number(leaf.details["count"]), 0);
    t.equal(counted, maxNotedRefusals + extra, "and each refusal is counted");
    if (extra > 0) t.match(found.at(-2), { outcome: "denied", subject: { id: "others" }, details: { count: extra } });
  }
});

t.test("a read that fits no leaf is counted in a gap leaf, the others are logged", async (t) => {
  const rig = openRig({ store: new MemoryStore() });
  rig.log.noteRead(read("x".repeat(500)));
  rig.log.noteRead(read("b"));
  rig.time.pass(100);
  t.same(actions(rig).slice(1), ["credential.read", "audit.gap"]);
  t.equal(rig.log.stopped, null);
});

t.test("a full disk stops the log once, and reads go on", async (t) => {
  for (const fault of ["STORE_NO_SPACE", "STORE_IO"] as const) {
    const store = new MemoryStore();
    const rig = openRig({ store });
    store.failNext(fault);
    rig.log.noteRead(read("a"));
    rig.time.pass(100);
    t.same([rig.log.stopped, rig.stops], [fault, [fault]]);
    rig.log.noteRead(read("a"));
    rig.time.pass(120_000);
    t.throws(() => fill(store, rig.log, 1), { code: "STORE_STOPPED" });
    t.equal(rig.log.checkpoint(), null);
    await rig.log.close();
    t.same([rig.stops, actions(rig)], [[fault], ["node.start"]]);
    t.equal(openRig({ store: store.reopen() }).log.lastStop, "crash", "the next start says that reads may be missing");
  }
});

t.test("a sync that fails stops the log once, and reads go on", async (t) => {
  for (const fault of ["STORE_NO_SPACE", "STORE_IO"] as const) {
    const store = new MemoryStore();
    const rig = openRig({ store });
    store.failNextSync(fault);
    rig.log.noteRead(read("a"));
    rig.time.pass(80);
    t.equal(rig.log.stopped, null);
    await new Promise(setImmediate);
    t.same([rig.log.stopped, rig.stops], [fault, [fault]]);
    rig.log.noteRead(read("b"));
    rig.time.pass(120_000);
    t.throws(() => fill(store, rig.log, 1), { code: "STORE_STOPPED" });
    await rig.log.close();
    t.same([rig.stops, actions(openRig({ store: store.reopenAfterPowerCut() }))], [[fault], ["node.start", "node.start"]]);
  }
});

t.test("anchors: our head as others hold it, theirs as we do, and the proof between", async (t) => {
  const store = new MemoryStore();
  const { log } = openRig({ store });
  fill(store, log, 300);
  const old = log.head();
  t.equal(log.eventsSinceAnchor(), 301);
  t.equal(
    store.transaction((tx) => log.acknowledge(tx, old)),
    "stored",
  );
  fill(store, log, 400);
  t.same([log.eventsSinceAnchor(), log.acknowledged()], [400, old]);
  verifyConsistency(old, log.head(), log.proofFrom(old.size));
  store.transaction((tx) => {
    log.append(tx, rotated(1));
    verifyConsistency(old, log.head(tx), log.proofFrom(old.size, tx));
    const told = (head: Partial<typeof old>) => log.acknowledge(tx, { ...old, ...head });
    t.equal(told({}), "older");
    t.equal(told({ size: 200, root: readRoot(storeStorage(0).read(tx), 200) }), "older");
    t.equal(told({ size: 10_000 }), "ahead", "the other side holds more than we do: we lost leaves");
    t.equal(told({ serial: 1 }), "ahead");
    t.equal(told({ root: new Uint8Array(32) }), "fork");
    const peer = new Uint8Array(20).fill(7);
    t.equal(log.peerHead(peer, tx), null);
    log.storePeerHead(tx, peer, old);
    t.same(log.peerHead(peer, tx), old);
  });
});

t.test("an event outside the allow-list never reaches the disk and fails its owner", async (t) => {
  const store = new MemoryStore();
  const rig = openRig({ store });
  // What the types forbid is what has to be refused.
  const leaky = { ...rotated(1), details: { password: "hunter2" } } as unknown as ReturnType<typeof rotated>;
  t.throws(() => store.transaction((tx) => rig.log.append(tx, leaky)), { code: "AUDIT_LEAF_MALFORMED" });
  t.same(actions(rig), ["node.start"]);
});

t.test("a log that is closed frees nothing more of what was archived; the next start goes on", async (t) => {
  const store = new MemoryStore();
  const breaking = openRig({
    store,
    failpoint: (name) => {
      if (name === "audit.before-free") throw new Error("the process dies");
    },
  });
  fill(store, breaking.log, 300);
  const event = { action: "audit.archive", actor: { kind: "node", id: node }, subject: { kind: "media", id: "S1" } } as const;
  await t.rejects(breaking.log.archive.archive({ ...event, outcome: "ok", details: { from: 0, until: 256 } }, 256));
  const heldBy = (disk: MemoryStore) => disk.read((view) => storeStorage(0).read(view).leaves(0, 256).length);
  const early = store.reopen();
  const stopped = openRig({ store: early });
  await stopped.log.close();
  stopped.time.pass(60_000);
  t.equal(heldBy(early), 256, "nothing asks a store that may be closed by now");
  const disk = early.reopen();
  const next = openRig({ store: disk });
  next.time.pass(60_000);
  t.equal(heldBy(disk), 0);
  await next.log.close();
});
