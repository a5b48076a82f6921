import t from "tap";
import { type AuditLog, storeStorage } from "../../../agent/audit/index.ts";
import type { Collector, LeafFeed } from "../../../agent/forward/index.ts";
import { hashLeaf } from "../../../protocol/audit/index.ts";
import { toHex } from "../../../protocol/base/index.ts";
import { ManualClock, settled } from "../../support/manual-clock.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { fill, type ManualTime, read, rotated } from "../audit/rig.ts";
import { forward, logIn, MemoryCollector, pass, passUntil } from "./rig.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

t.test("every leaf arrives once, in order, with its index and hash, and then the position is kept", async (t) => {
  const store = new MemoryStore();
  const { log, feed } = logIn(store);
  fill(store, log, 300);
  const [collector, clock] = [new MemoryCollector(), new ManualClock()];
  const sender = forward({ feed, collector, clock });
  t.ok(await passUntil(clock, () => sender.status().sent === 301));
  t.same(
    collector.lines.map(({ index }) => index),
    upTo(301),
    "none twice where nothing went wrong",
  );
  const leaves = log.leaves(0, 301);
  t.same(
    collector.lines.map(({ hash }) => hash),
    leaves.map((leaf) => toHex(hashLeaf(leaf))),
  );
  t.equal(await feed.position("siem"), 301);
  await passUntil(clock, () => sender.status().state === "idle");
  t.match(sender.status(), { state: "idle", next: 301, behind: 0, sent: 301, missed: 0, lastCode: null });
  t.equal(collector.most, 1);
  fill(store, log, 1);
  t.ok(await passUntil(clock, () => collector.indexes.length === 302), "a new leaf is found without anybody's call");
  await sender.close();
  t.equal(clock.pending, 0, "nothing is left behind");
  t.equal(sender.status().state, "closed");
});

t.test("the position waits for the collector's end, however much was written", async (t) => {
  const store = new MemoryStore();
  const { log, feed } = logIn(store);
  fill(store, log, 10);
  const [collector, clock] = [new MemoryCollector(), new ManualClock()];
  collector.stalls = "finish";
  const sender = forward({ feed, collector, clock });
  t.ok(await passUntil(clock, () => collector.indexes.length === 11));
  t.equal(await feed.position("siem"), null);
  t.match(sender.status(), { state: "sending", behind: 11, sent: 0 });
  t.ok(await passUntil(clock, () => sender.status().lastCode === "FORWARD_STALLED"));
  t.equal(await feed.position("siem"), null);
  collector.stalls = null;
  t.ok(await passUntil(clock, () => sender.status().sent === 11));
  t.equal(await feed.position("siem"), 11);
  t.equal(sender.status().lastCode, null);
  await sender.close();
});

/** Commits, and how many of them were waited for, of a leaf and of a read. */
function costOf(store: MemoryStore, log: AuditLog, time: ManualTime): number[] {
  const [commits, waits] = [store.commits, store.waits];
  fill(store, log, 1);
  log.noteRead(read("line-4/plc-1/admin"));
  time.pass(100);
  return [store.commits - commits, store.waits - waits];
}

for (const stalls of ["open", "write", "finish"] as const) {
  t.test(`a collector that hangs at ${stalls} costs the log nothing, and holds one write at most`, async (t) => {
    const store = new MemoryStore();
    const { log, time, feed } = logIn(store);
    fill(store, log, 1_000);
    const free = costOf(store, log, time);
    const [collector, clock] = [new MemoryCollector(), new ManualClock()];
    collector.stalls = stalls;
    const sender = forward({ feed, collector, clock });
    t.ok(await passUntil(clock, () => sender.status().lastCode === "FORWARD_STALLED"));
    t.same(costOf(store, log, time), free, "as much as without a collector");
    t.equal(log.head().size, 1_005);
    await pass(clock, 2 * 3_600_000);
    t.match(sender.status(), { next: 0, sent: 0, lastCode: "FORWARD_STALLED" });
    t.ok(sender.status().behind >= 1_005);
    t.ok(collector.most <= 1, "one connection at a time");
    t.ok(collector.opened > 60 && collector.opened < 2 * 3_600, `tried again, at a measured pace: ${collector.opened}`);
    t.ok(collector.mostWaiting < 64 * 1_024, `${collector.mostWaiting} bytes wait`);
    await sender.close();
    t.equal(clock.pending, 0, "it ends at once");
  });
}

t.test("an unreachable collector is tried between half a second and a minute apart", async (t) => {
  const { feed } = logIn(new MemoryStore());
  const [collector, clock] = [new MemoryCollector(), new ManualClock()];
  collector.refuses = true;
  const waits: (number | null)[] = [];
  for (const [random, most] of [
    [0, 500],
    [255, 60_000],
  ] as const) {
    const sender = forward({ feed, collector, clock, random: (length) => new Uint8Array(length).fill(random) });
    for (let tries = 0; tries < 12; tries += 1) {
      const { opened } = collector;
      while (collector.opened === opened) await clock.advance(clock.nextInMs ?? 0);
      await settled();
      waits.push(clock.nextInMs);
    }
    t.equal(waits.at(-1), most);
    t.ok(waits.every((wait) => wait !== null && wait >= 500 && wait <= 60_000));
    t.match(sender.status(), { state: "waiting", lastCode: "FORWARD_UNREACHABLE" });
    await sender.close();
  }
});

t.test("leaves are told only once no crash can take them back", async (t) => {
  const { log, feed } = logIn(new MemoryStore());
  const [collector, clock] = [new MemoryCollector(), new ManualClock()];
  let sync = () => {};
  const slow: LeafFeed = { ...feed, settled: () => new Promise((resolve) => (sync = resolve)) };
  const sender = forward({ feed: slow, collector, clock });
  await pass(clock, 3_600_000);
  t.same([collector.opened, log.head().size], [0, 1], "the disk is still busy: nobody is dialled");
  sync();
  t.ok(await passUntil(clock, () => collector.indexes.length === 1));
  await sender.close();
});

t.test("a target may begin with what comes next, and remembers that it began", async (t) => {
  const store = new MemoryStore();
  const { log, feed } = logIn(store);
  fill(store, log, 5);
  const [collector, clock] = [new MemoryCollector(), new ManualClock()];
  const first = forward({ feed, collector, clock, target: { from: "now" } });
  t.ok(await passUntil(clock, () => first.status().next === 6));
  await first.close();
  fill(store, log, 2);
  const second = forward({ feed, collector, clock, target: { from: "now" } });
  t.ok(await passUntil(clock, () => second.status().next === 8));
  t.same(collector.indexes, [6, 7]);
  await second.close();
});

t.test("leaves that were archived before they were sent are a gap that the collector is told of", async (t) => {
  const store = new MemoryStore();
  const { log, feed } = logIn(store);
  fill(store, log, 999);
  store.transaction((tx) => storeStorage(0).write(tx).free(0, 768));
  const [collector, clock] = [new MemoryCollector(), new ManualClock()];
  const sender = forward({ feed, collector, clock });
  t.ok(await passUntil(clock, () => collector.indexes.length === 233));
  t.same(collector.indexes, [...upTo(1_000).slice(768), 1_000]);
  t.match(collector.lines.at(-1)?.leaf, {
    action: "forward.gap",
    details: { target: "siem", from: 0, count: 768, reason: "archived" },
  });
  t.ok(await passUntil(clock, () => sender.status().sent === 233));
  t.equal(sender.status().missed, 768);
  await sender.close();
});

t.test("a leaf that cannot be read holds nothing up, and its gap is told", async (t) => {
  const store = new MemoryStore();
  const { log, feed } = logIn(store);
  fill(store, log, 99);
  const damaged: LeafFeed = {
    ...feed,
    leaves: async (from, limit) =>
      (await feed.leaves(from, limit)).map((leaf, at) => ([40, 41, 70].includes(from + at) ? leaf.subarray(1) : leaf)),
  };
  const [collector, clock] = [new MemoryCollector(), new ManualClock()];
  const sender = forward({ feed: damaged, collector, clock });
  t.ok(await passUntil(clock, () => collector.indexes.length === 99));
  t.same(
    upTo(102).filter((index) => !collector.indexes.includes(index)),
    [40, 41, 70],
  );
  t.same(
    collector.lines
      .filter(({ leaf }) => leaf.action === "forward.gap")
      .map(({ leaf }) => [leaf.details["from"], leaf.details["count"]]),
    [
      [40, 2],
      [70, 1],
    ],
  );
  t.equal(sender.status().missed, 3);
  await sender.close();
});

t.test("a position beyond the log is that of a log which was put back", async (t) => {
  const store = new MemoryStore();
  const { log, feed } = logIn(store);
  await feed.savePosition("siem", 50);
  const [collector, clock] = [new MemoryCollector(), new ManualClock()];
  const sender = forward({ feed, collector, clock });
  t.ok(await passUntil(clock, () => sender.status().next === 1));
  store.transaction((tx) => log.append(tx, rotated(1)));
  t.ok(await passUntil(clock, () => collector.indexes.length === 1));
  t.same(collector.indexes, [1]);
  await sender.close();
});

/** A collector that believes each write: what a position saved too early comes to. */
function believing(collector: MemoryCollector): Collector {
  return {
    place: collector.place,
    async open() {
      const link = await collector.open();
      const finish = () => link.finish().catch(() => {});
      return { ...link, write: (bytes) => link.write(bytes), destroy: () => link.destroy(), finish };
    },
  };
}

/** Cuts at a different byte each time, starts anew in between, loses power; which of the leaves got lost, and which were taken back. */
async function weather(seed: number, plant: (collector: MemoryCollector) => Collector) {
  let store = new MemoryStore();
  let state = seed;
  const draw = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  const [collector, clock] = [new MemoryCollector(), new ManualClock()];
  for (let round = 0; round < 8; round += 1) {
    const { log, feed } = logIn(store);
    fill(store, log, draw(90));
    collector.cutAfter = draw(20_000);
    const sender = forward({ feed, collector: plant(collector), clock });
    await pass(clock, draw(20) * 1_000, 1_000);
    await sender.close();
    store = draw(2) === 0 ? store.reopen() : store.reopenAfterPowerCut();
  }
  collector.cutAfter = null;
  const { log, feed } = logIn(store);
  const sender = forward({ feed, collector: plant(collector), clock });
  await passUntil(clock, () => sender.status().next === log.head().size);
  await sender.close();
  const held = log.leaves(0, log.head().size).map((leaf) => toHex(hashLeaf(leaf)));
  return {
    lost: upTo(held.length).filter((index) => !collector.indexes.includes(index)),
    takenBack: collector.lines.filter(({ index, hash }) => held[index] !== hash),
  };
}

t.test("cut at any byte, restarted and without power, no leaf is lost and none is taken back", async (t) => {
  for (let seed = 1; seed <= 12; seed += 1) {
    t.same(await weather(seed, (collector) => collector), { lost: [], takenBack: [] }, `seed ${seed}`);
  }
});

t.test("planted: a position that is kept before the collector has read loses leaves, and is caught", async (t) => {
  let caught = 0;
  for (let seed = 1; seed <= 6; seed += 1) if ((await weather(seed, believing)).lost.length > 0) caught += 1;
  t.ok(caught > 3, `${caught} of 6`);
});
