import t from "tap";
import { type RotationRig, ready } from "./rotation-rig.ts";
import type { Trick } from "./test-device.ts";

const hour = 3_600_000;
const pool: RotationRig["values"] = [
  [0, "old", "current"],
  [1, "new-1", "pool"],
  [2, "new-2", "pool"],
];

t.test("adopting touches no device", async (t) => {
  const rig = await ready().pass(hour);
  t.same(rig.device.seen, []);
  t.equal(rig.phase, "IDLE");
  t.equal(rig.account.record.state.pool.length, 2);
});

t.test("an ordered rotation proves the device, changes, saves, proves again and reports", async (t) => {
  const rig = ready().order("rotate");
  await rig.pass(hour);
  t.same(rig.device.seen, ["verify old", "prepare old", "push old", "verify new-1", "save new-1", "verify new-1"]);
  t.same([rig.device.live, rig.device.saved], ["new-1", "new-1"]);
  t.equal(rig.phase, "VERIFIED");
  t.same(rig.reports, ["proven 0", "verified 1"]);
  t.same(rig.orderEnds, ["done null"]);
  t.ok(rig.served.includes("z/meter/operator"));
  t.same(
    rig.facts.filter((fact) => fact.kind === "identity").map((fact) => fact.identity),
    ["serial-1"],
  );
  await rig.crash().pass(hour);
  t.same(rig.orderEnds, ["done null"], "an order is carried out once");
  t.equal(rig.device.live, "new-1");
});

t.test(
  "an order right after a rotation is carried out as soon as the device has settled, not at the next slow look",
  async (t) => {
    const rig = await ready().order("rotate").pass(1000);
    t.equal(rig.device.live, "new-1");
    await rig.order("rotate").pass(1000);
    t.same([rig.account.waiting, rig.device.live], ["ROTATION_UNSETTLED", "new-1"]);
    await rig.pass(6000);
    t.same(rig.orderEnds, ["done null", "done null"]);
    t.equal(rig.device.live, "new-2");
  },
);

t.test("an interval rotates by running time from the pool, and stops at its end", async (t) => {
  const rig = ready({ rotate: "interval", intervalS: 7200 });
  await rig.pass(hour);
  t.equal(rig.device.live, "old");
  await rig.pass(2 * hour);
  t.equal(rig.device.live, "new-1");
  await rig.pass(3 * hour);
  t.equal(rig.device.live, "new-2");
  await rig.pass(10 * hour);
  t.equal(rig.device.live, "new-2");
  t.equal(rig.account.waiting, "ROTATION_POOL_EMPTY");
});

t.test("a verify order is read-only", async (t) => {
  const rig = await ready({ rotate: "never" }).order("verify").pass(hour);
  t.same(rig.device.seen, ["verify old"]);
  t.same(rig.orderEnds, ["done null"]);
  const refused = await ready({ rotate: "never" }).order("rotate").pass(hour);
  t.same(refused.orderEnds, ["refused ROTATION_NOT_ALLOWED"]);
  t.same(refused.device.seen, []);
});

t.test("an order without a clock waits and says clock; when it has expired it says so", async (t) => {
  const rig = ready();
  rig.hi = null;
  await rig.order("rotate", 3600).pass(60_000);
  t.same(rig.device.seen, []);
  rig.hi = 0;
  await rig.pass(60_000);
  t.equal(rig.device.live, "new-1");
  const late = ready();
  late.hi = null;
  await late.order("rotate", 3600).pass(2 * hour);
  t.same(late.orderEnds, ["expired CLOCK_EXPIRED"]);
});

t.test("whatever happens to one exchange, exactly one known password works in the end", async (t) => {
  const tricks: Trick[] = ["reply lost", "lost", "unreachable", "late"];
  for (const op of ["verify", "prepare", "push", "save"] as const) {
    for (const trick of tricks) {
      if (trick === "late" && op !== "push") continue;
      const rig = ready().order("rotate");
      rig.device.tricks.push({ op, trick });
      await rig.pass(2_000);
      if (rig.device.late !== null) rig.device.live = rig.device.late;
      await rig.pass(hour);
      t.same([rig.device.live, rig.device.saved], ["new-1", "new-1"], `${op}: ${trick}`);
      t.same(rig.orderEnds, ["done null"], `${op}: ${trick}`);
    }
  }
});

t.test("killed at each durable step, before and after, it finishes with the same password", async (t) => {
  // A kill in the middle of an exchange is thrown where nobody waits, as a bug would be.
  const ignore = () => {};
  process.on("unhandledRejection", ignore);
  t.teardown(() => process.off("unhandledRejection", ignore));
  const clean = await ready().order("rotate").pass(hour);
  const names = [...new Set(clean.passed)];
  t.ok(names.length >= 16, names.join(" "));
  for (const name of names) {
    const rig = ready();
    let killed = false;
    rig.failpoint = (passed) => {
      if (killed || passed !== name) return;
      killed = true;
      throw new Error("killed");
    };
    try {
      rig.order("rotate");
    } catch {}
    await rig.pass(100).catch(() => {});
    rig.crash();
    if (rig.orders.length === 0) rig.order("rotate");
    await rig.pass(2 * hour);
    t.ok(killed, name);
    t.same([rig.device.live, rig.device.saved, rig.phase], ["new-1", "new-1", "VERIFIED"], name);
  }
});

t.test("a device that refuses a value gets the next of the pool, each once", async (t) => {
  const rig = ready();
  rig.device.refusesValues.add("new-1");
  await rig.order("rotate").pass(hour);
  t.equal(rig.device.live, "new-2");
  t.same(rig.reports, ["proven 0", "rejected 1", "verified 2"]);
  const both = ready();
  both.device.refusesValues.add("new-1").add("new-2");
  await both.order("rotate").pass(hour);
  t.same(both.alarms, ["ROTATION_POOL_REJECTED"]);
  t.same(both.orderEnds, ["failed ROTATION_POOL_REJECTED"]);
  t.equal(both.device.seen.filter((each) => each.startsWith("push")).length, 2);
});

t.test("a dead device is asked ever more rarely and never locked out", async (t) => {
  const rig = ready({ lockout: { tries: 3, windowS: 600, durationS: 600, scope: "account" } }).order("rotate");
  await rig.pass(1_000);
  const unreachable = ready({ lockout: "unknown" }).order("rotate");
  for (let at = 0; at < 200; at += 1) unreachable.device.tricks.push({ op: "verify", trick: "unreachable" });
  await unreachable.pass(24 * hour);
  t.ok(unreachable.device.seen.length < 200, `${unreachable.device.seen.length} tries in a day`);
  t.equal(unreachable.device.failures, 0);
  t.equal(rig.device.live, "new-1");
});

t.test("attempts stay below the lockout, also over restarts", async (t) => {
  const rig = ready({ lockout: { tries: 3, windowS: 600, durationS: 600, scope: "account" } });
  await rig.order("rotate").pass(1_000);
  rig.device.live = "changed by a stranger";
  rig.order("verify");
  for (let at = 0; at < 10; at += 1) {
    await rig.pass(60_000);
    rig.crash();
  }
  t.equal(rig.device.failures, 1, "one attempt in ten minutes");
  await rig.pass(6 * hour);
  t.equal(rig.phase, "UNKNOWN");
  t.ok(rig.alarms.includes("ROTATION_UNKNOWN"));
  const { failures } = rig.device;
  await rig.pass(24 * hour);
  t.equal(rig.device.failures, failures, "no more attempts");
});

t.test("config restore: the older password is recognised, served and alarmed", async (t) => {
  const rig = await ready().order("rotate").pass(hour);
  rig.device.live = "old";
  rig.device.saved = "old";
  await rig.order("verify").pass(hour);
  t.same(rig.alarms, ["ROTATION_REVERTED"]);
  t.equal(rig.account.record.state.current, 0);
  t.same(rig.orderEnds, ["done null", "failed ROTATION_REVERTED"]);
});

t.test("another device in its place is not touched", async (t) => {
  const rig = await ready().order("verify").pass(hour);
  rig.device.identity = "serial-2";
  // The vault corrected the address: the pin belongs to the device, not to where it is reached.
  rig.host = "127.0.0.2";
  await rig.order("rotate").pass(hour);
  t.same(rig.alarms, ["DEVICE_IDENTITY_CHANGED"], "alarmed once");
  t.equal(rig.device.live, "old");
  t.notOk(rig.device.seen.some((each) => each.startsWith("push")));
});

t.test("no space, no rotation; a full disk stops the writer and nothing is pushed", async (t) => {
  const rig = ready();
  rig.spaceLeft = false;
  await rig.order("verify").order("rotate").pass(10_000);
  t.equal(rig.account.waiting, "ROTATION_NO_SPACE");
  rig.spaceLeft = true;
  await rig.pass(hour);
  t.equal(rig.device.live, "new-1");
  for (const step of ["rotation.before-sent", "rotation.before-staged", "rotation.before-new-ok"]) {
    const full = ready();
    full.failpoint = (name) => {
      if (name === step) full.store.failNext("STORE_NO_SPACE");
    };
    try {
      full.order("rotate");
    } catch {}
    await full.pass(hour);
    t.equal(full.store.stopped, "STORE_NO_SPACE", step);
    if (step !== "rotation.before-new-ok")
      t.notOk(
        full.device.seen.some((each) => each.startsWith("push")),
        step,
      );
    full.failpoint = () => {};
    full.crash();
    await full.pass(2 * hour);
    t.equal(full.device.live, "new-1", step);
  }
});

t.test("two different values of one index hold the account", async (t) => {
  const rig = ready();
  rig.values = [
    [0, "old", "current"],
    [1, "another", "pool"],
  ];
  rig.sync();
  t.equal(rig.account.record.state.hold, "fork");
  const states = rig.facts.flatMap((fact) => (fact.kind === "rotation" ? [`${fact.state} ${fact.outcome}`] : []));
  t.equal(states.at(-1), "QUARANTINE null", "the vault hears of it");
  await rig.order("rotate").pass(hour);
  t.same(rig.orderEnds, ["refused ROTATION_HELD"]);
});

t.test("a value that a person gave is proven before it is believed", async (t) => {
  const rig = ready();
  rig.device.live = "by hand";
  rig.values = [...pool.slice(1), [3, "by hand", "current"]];
  await rig.sync().pass(hour);
  t.same(rig.reports, ["proven 3"]);
  t.equal(rig.phase, "IDLE");
});
