import t from "tap";
import { encodeRecord, tables } from "../../edge/rotation/record.ts";
import { ready } from "./rotation-rig.ts";

const minute = 60_000;
const hour = 60 * minute;

t.test(
  "a value that a person gave retires what the vault issued before it: the vault would not believe a report of it",
  async (t) => {
    const rig = await ready().order("verify").pass(hour);
    rig.device.live = "by hand";
    rig.device.saved = "by hand";
    rig.values = [
      [3, "by hand", "current"],
      [4, "new-4", "pool"],
      [5, "new-5", "pool"],
    ];
    await rig.sync().pass(hour);
    const { pool, history, candidates } = rig.account.record.state;
    t.same(
      pool.map(({ index }) => index[1]),
      [4, 5],
    );
    t.same([...candidates, ...history].map(({ index }) => index[1]).sort(), [0, 1, 2, 3], "nothing is forgotten");
    await rig.order("rotate").pass(hour);
    t.equal(rig.device.live, "new-4");
    t.same(rig.reports.at(-1), "verified 4");
  },
);

t.test("a value that was sent before a person gave another one stays a candidate, and is not staged again", async (t) => {
  const rig = ready().order("rotate");
  rig.device.tricks.push({ op: "push", trick: "lost" });
  await rig.pass(100);
  t.equal(rig.phase, "PROBE");
  rig.values = [
    [3, "old", "current"],
    [4, "new-4", "pool"],
    [5, "new-5", "pool"],
  ];
  await rig.sync().pass(hour);
  t.same(
    rig.account.record.state.history
      .concat(rig.account.record.state.candidates)
      .map(({ index }) => index[1])
      .sort(),
    [0, 1, 2, 3, 4],
  );
  t.equal(rig.device.live, "new-4", "the order is carried out with a value that the vault still expects");
  t.same(rig.orderEnds, ["done null"]);
  t.same(
    rig.reports.filter((each) => each.startsWith("verified")),
    ["verified 4"],
  );
});

t.test("a device that refuses every value never makes a record that the next start cannot read", async (t) => {
  const rig = ready();
  await rig.order("verify").pass(hour);
  for (let number = 3; number < 43; number += 2) {
    for (const [, value] of rig.values) if (value !== "old") rig.device.refusesValues.add(value);
    await rig.order("rotate").pass(hour);
    rig.values = [
      [0, "old", "current"],
      [number, `new-${number}`, "pool"],
      [number + 1, `new-${number + 1}`, "pool"],
    ];
    await rig.sync().pass(hour);
    rig.crash();
  }
  const { candidates, history } = rig.account.record.state;
  t.equal(new Set([...candidates, ...history].map(({ ref }) => ref)).size, 41, "every value that was sent is kept");
});

t.test("the lockout's window begins when the device may have seen the login, not when it was decided", async (t) => {
  const rig = ready({ lockout: { tries: 3, windowS: 600, durationS: 0, scope: "account" } });
  rig.device.live = "by hand";
  rig.device.delayMs = 9 * minute;
  rig.order("verify");
  await rig.pass(9 * minute);
  rig.device.delayMs = 0;
  await rig.pass(30 * minute);
  const refused = rig.device.refusedAt;
  t.ok(refused.length >= 2);
  for (const [i, at] of refused.entries()) {
    const before = refused[i - 1];
    if (before !== undefined) t.ok(at - before >= 10 * minute, `${(at - before) / minute} minutes between two refused logins`);
  }
});

t.test("a login under way when the process died counts from the start of the next one", async (t) => {
  const rig = ready({ lockout: { tries: 3, windowS: 600, durationS: 0, scope: "account" } });
  rig.device.live = "by hand";
  rig.device.tricks.push({ op: "verify", trick: "never" });
  await rig.order("verify").pass(9 * minute);
  rig.crash();
  rig.device.seen.length = 0;
  await rig.pass(9 * minute);
  t.same(rig.device.seen, [], "the device may have seen it a moment ago");
  await rig.pass(2 * minute);
  t.ok(rig.device.seen.length > 0);
});

t.test("a push under way when the process died may land late, counted from the start of the next one", async (t) => {
  const rig = ready().order("rotate");
  rig.device.tricks.push({ op: "push", trick: "never" });
  await rig.pass(8_000);
  rig.crash();
  rig.device.seen.length = 0;
  await rig.pass(3_000);
  t.notOk(
    rig.device.seen.some((each) => each.startsWith("push")),
    "not before it has settled",
  );
  await rig.pass(hour);
  t.equal(rig.device.live, "new-1");
});

t.test("a save that is refused for ever is tried ever less often", async (t) => {
  for (const trick of ["refuse value", "lost"] as const) {
    const rig = ready().order("rotate");
    for (let i = 0; i < 2000; i += 1) rig.device.tricks.push({ op: "save", trick });
    await rig.pass(24 * hour);
    const saves = rig.device.seen.filter((each) => each.startsWith("save")).length;
    t.ok(saves > 10 && saves < 200, `${trick}: ${saves} times in a day`);
  }
});

t.test("a push that never takes effect is tried ever less often: memory of devices wears out", async (t) => {
  const rig = ready().order("rotate");
  for (let i = 0; i < 9000; i += 1) rig.device.tricks.push({ op: "push", trick: "lost" });
  await rig.pass(24 * hour);
  const pushes = rig.device.seen.filter((each) => each.startsWith("push")).length;
  t.ok(pushes > 10 && pushes < 200, `${pushes} times in a day`);
  t.ok(rig.alarms.includes("ROTATION_NO_ANSWER"));
});

t.test("an interval does not use up value after value on a device that refuses them", async (t) => {
  const rig = ready({ rotate: "interval", intervalS: 7200 });
  const refill = () => {
    const known = Math.max(...rig.values.map(([number]) => number));
    for (const [, value] of rig.values) if (value !== "old") rig.device.refusesValues.add(value);
    if (rig.account.record.state.pool.length > 0) return;
    rig.values = [
      [0, "old", "current"],
      [known + 1, `new-${known + 1}`, "pool"],
      [known + 2, `new-${known + 2}`, "pool"],
    ];
    rig.sync();
  };
  refill();
  for (let i = 0; i < 24 * 60; i += 1) {
    await rig.pass(minute);
    refill();
  }
  const pushes = rig.device.seen.filter((each) => each.startsWith("push")).length;
  t.ok(pushes >= 2 && pushes <= 12, `${pushes} values in a day`);
});

t.test("an order that expires while it waits for the device is void: nothing is sent after its end", async (t) => {
  const rig = await ready().order("verify").pass(hour);
  for (let i = 0; i < 500; i += 1) rig.device.tricks.push({ op: "prepare", trick: "unreachable" });
  await rig.order("rotate", 3600).pass(2 * hour);
  rig.device.tricks.length = 0;
  await rig.pass(10 * hour);
  t.equal(rig.device.live, "old");
  t.same(rig.orderEnds.at(-1), "expired CLOCK_EXPIRED");
  t.equal(rig.phase, "IDLE");
  await rig.order("rotate").pass(hour);
  t.equal(rig.device.live, "new-1", "the value was not used up");
});

t.test("a new edge in the place of a dead one finds the value that its predecessor had sent", async (t) => {
  const rig = ready();
  rig.device.live = "new-1";
  rig.device.saved = "new-1";
  await rig.order("verify").pass(20 * hour);
  t.equal(rig.phase, "VERIFIED");
  t.same(rig.reports, ["verified 1"]);
});

t.test(
  "a start reads every account, however many: one that was missed would be adopted anew over its own candidates",
  async (t) => {
    const rig = await ready().order("rotate").pass(hour);
    const row = encodeRecord(rig.account.record);
    const others = 10_001;
    rig.store.transaction((tx) => {
      for (let i = 0; i < others; i += 1)
        tx.put(tables.account, Uint8Array.of(1, i >> 16, i >> 8, i & 0xff, ...new Uint8Array(12)), row);
    });
    rig.crash();
    t.equal(rig.engine.accounts.size, others + 1);
  },
);
