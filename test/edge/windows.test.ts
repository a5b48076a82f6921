import t from "tap";
import { neededMs } from "../../edge/rotation/openness.ts";
import type { RotationCode } from "../../protocol/rotation/index.ts";
import { type RigOptions, RotationRig, ready, viewerId } from "./rotation-rig.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const daily = 0b111_1111;

/** A rig whose device's identity is pinned, an hour after midnight, with a window from 02:00 on. */
async function windowed(minutes: number, options: RigOptions = {}): Promise<RotationRig> {
  const rig = ready(options);
  rig.windows = [{ days: daily, startMinute: 120, minutes }];
  await rig.order("verify").pass(hour - rig.time.sinceBootMs);
  rig.device.seen.length = 0;
  return rig;
}

const pushes = (rig: RotationRig) => rig.device.seen.filter((each) => each.startsWith("push")).length;

t.test("a rotation begins when its window opens, and not where what is left of it is too short", async (t) => {
  const rig = await windowed(240);
  await rig.order("rotate").pass(hour - 1);
  t.same([rig.account.waiting, rig.device.seen], ["ROTATION_WINDOW_CLOSED", []]);
  await rig.pass(minute);
  t.equal(rig.device.live, "new-1", "it does not wait for the next slow look");
  const needed = Math.ceil(neededMs(rig.account) / minute);
  t.ok(needed > 1 && needed < 30, `${needed} minutes`);
  const short = await windowed(needed - 1);
  await short.order("rotate").pass(12 * hour);
  t.same([short.account.waiting, short.device.seen], ["ROTATION_WINDOW_CLOSED", []]);
  const late = await windowed(240);
  await late.pass(5 * hour - minute);
  await late.order("rotate").pass(12 * hour);
  t.same(late.device.seen, [], "a minute before its end");
});

t.test("a window is asked for again right before the push, and a value that was not sent is given back", async (t) => {
  const rig = await windowed(60, { viewer: true });
  rig.device.delayMs = 59 * minute;
  await rig.order("rotate", 2 * 86_400).pass(4 * hour);
  t.same([pushes(rig), rig.device.live, rig.phase], [0, "old", "IDLE"]);
  t.equal(rig.account.record.state.pool.length, 2);
  t.same(rig.alarms, []);
  rig.device.delayMs = 0;
  await rig.pass(day);
  t.equal(rig.device.live, "new-1", "in the window of the next day");
  t.same(rig.orderEnds, ["done null", "done null"]);
});

t.test("what was sent is finished after the window has closed, and an alarm says so, once", async (t) => {
  const rig = await windowed(60);
  rig.device.delayMs = 15 * minute;
  await rig.order("rotate").pass(hour);
  await rig.pass(12 * hour);
  t.same([rig.phase, rig.device.live, rig.device.saved], ["VERIFIED", "new-1", "new-1"]);
  t.same(rig.alarms, ["ROTATION_PAST_WINDOW"]);
  t.same(rig.orderEnds, ["done null", "done null"]);
});

t.test("an order for now does not wait for a window, and the next one does", async (t) => {
  const rig = await windowed(60);
  await rig.order("rotate", 300).pass(minute);
  t.equal(rig.account.waiting, "ROTATION_WINDOW_CLOSED");
  await rig.order("verify").order("rotate", 86_400, { now: true }).pass(10_000);
  t.same(rig.orderEnds, ["done null", "done null", "done null"], "neither does a check");
  t.equal(rig.device.live, "new-1");
  t.same(rig.alarms, []);
  await rig.order("rotate").pass(30 * minute);
  t.same([rig.account.waiting, rig.device.live], ["ROTATION_WINDOW_CLOSED", "new-1"]);
});

t.test("without a time nothing begins but what is windowless; a probable clock is enough for a window", async (t) => {
  const by = { rotate: "interval", intervalS: 3600 } as const;
  const lost = await windowed(24 * 60, by);
  lost.hi = null;
  await lost.pass(6 * hour);
  t.same([lost.account.waiting, lost.device.seen], ["ROTATION_CLOCK", []]);
  const windowless = await windowed(60, { ...by, windowless: true });
  windowless.hi = null;
  await windowless.pass(6 * hour);
  t.equal(windowless.device.live, "new-2");
  windowless.hi = 0;
  const shut = await windowed(60, { ...by, windowless: true });
  await shut.pass(30 * minute);
  t.same([shut.account.waiting, shut.device.seen], ["ROTATION_WINDOW_CLOSED", []], "a known time counts for it too");
  const probable = await windowed(60, by);
  probable.hi = null;
  probable.probableMs = 2.5 * hour;
  await probable.pass(20 * minute);
  t.equal(probable.device.live, "new-1");
});

t.test("an operator's hold lets nothing new begin, and what is under way finish; it ends where it was set", async (t) => {
  const rig = await ready().order("verify").pass(hour);
  rig.device.seen.length = 0;
  rig.held = true;
  await rig.sync().order("rotate").pass(hour);
  t.same([rig.account.waiting, rig.device.seen], ["ROTATION_ON_HOLD", []]);
  rig.held = false;
  await rig.sync().pass(minute);
  t.equal(rig.device.live, "new-1");
  rig.device.tricks.push({ op: "push", trick: "reply lost" });
  rig.order("rotate");
  while (pushes(rig) < 2) await rig.pass(1_000);
  const device = rig.account.device;
  if (device === null) throw new Error("no device");
  rig.site.hold(device, "work on the line");
  await rig.pass(hour);
  t.same([rig.phase, rig.device.live, rig.device.saved], ["VERIFIED", "new-2", "new-2"], "an unfinished one is finished");
  rig.values.push([3, "new-3", "pool"]);
  await rig.sync().order("rotate").pass(hour);
  rig.crash();
  await rig.pass(hour);
  t.same([rig.account.waiting, rig.device.live], ["ROTATION_ON_HOLD", "new-2"], "over a restart");
  t.equal(rig.site.heldFor(device), "work on the line");
  t.same([rig.site.release(device, ""), rig.site.release(device, "")], [true, false]);
  rig.engine.reconsider();
  await rig.pass(minute);
  t.equal(rig.device.live, "new-3");
});

t.test("where a permit is asked for, nothing is pushed without one that runs in this boot", async (t) => {
  const rig = await ready({ requirePermit: true }).order("verify").pass(hour);
  rig.device.seen.length = 0;
  await rig.order("rotate").pass(hour);
  t.same([rig.account.waiting, rig.device.seen], ["ROTATION_PERMIT_NEEDED", []]);
  rig.site.permit(2 * hour);
  rig.engine.reconsider();
  await rig.pass(minute);
  t.equal(rig.device.live, "new-1");
  rig.crash();
  await rig.order("rotate").pass(minute);
  t.equal(rig.device.live, "new-2", "a permit outlives the process");
  t.equal(rig.site.permitLeftMs(), 2 * hour - 2 * minute);
  rig.time.boot = "boot-2";
  t.same([rig.site.permitLeftMs(), rig.site.permitted()], [0, false], "and ends with the boot");
  rig.time.boot = "boot-1";
  await rig.pass(2 * hour);
  t.notOk(rig.site.permitted());
  rig.site.permit(48 * hour);
  t.equal(rig.site.permitLeftMs(), 24 * hour);
  rig.site.permit(0);
  t.notOk(rig.site.permitted());
});

t.test("the break-glass account never changes with another one of its device", async (t) => {
  const options = { breakGlass: true, viewer: true };
  const rig = await ready(options).order("verify").pass(hour);
  await rig.order("rotate", 3 * 86_400, { of: viewerId }).pass(minute);
  t.equal(rig.other.live, "new-1");
  await rig.order("rotate", 3 * 86_400).pass(day - hour);
  t.same([rig.account.waiting, rig.device.live], ["ROTATION_BREAK_GLASS", "old"]);
  await rig.pass(2 * hour);
  t.equal(rig.device.live, "new-1", "a day later");
  await rig.order("rotate", 3 * 86_400, { of: viewerId }).pass(hour);
  t.equal(rig.accountOf(viewerId).waiting, "ROTATION_BREAK_GLASS", "nor the other one after it");

  const unfinished = await ready(options).order("verify").pass(hour);
  unfinished.other.live = "by hand";
  await unfinished.order("verify", 86_400, { of: viewerId }).pass(3 * day);
  t.equal(unfinished.accountOf(viewerId).record.state.phase, "UNKNOWN");
  await unfinished.order("rotate").pass(hour);
  t.equal(unfinished.account.waiting, "ROTATION_BREAK_GLASS", "while another one is unknown");

  const nightly = await windowed(240, options);
  await nightly.order("rotate", 3 * 86_400, { of: viewerId }).pass(hour + minute);
  t.equal(nightly.other.live, "new-1");
  await nightly.order("rotate", 3 * 86_400).pass(10 * hour);
  t.equal(nightly.device.live, "old", "in one window");
  await nightly.pass(14 * hour);
  t.equal(nightly.device.live, "new-1", "in the next one");
});

t.test("whatever a rotation is refused for, the device sees no packet of it", async (t) => {
  type Block = (rig: RotationRig) => unknown;
  const none: RotationRig["values"] = [[0, "old", "current"]];
  const cases: readonly [RotationCode, Block, RigOptions?][] = [
    ["ROTATION_UNKNOWN", (rig) => set(rig, { phase: "UNKNOWN" })],
    ["ROTATION_HELD", (rig) => void rig.engine.tell(rig.account, { kind: "hold", cause: "fork" })],
    ["ROTATION_ON_HOLD", (rig) => Object.assign(rig, { held: true })],
    ["ROTATION_NOT_ALLOWED", () => {}, { rotate: "never" }],
    ["ROTATION_LOCKOUT_TOO_LOW", () => {}, { lockout: { tries: 2, windowS: 60, durationS: 60, scope: "account" } }],
    ["ROTATION_NO_SPACE", (rig) => Object.assign(rig, { spaceLeft: false })],
    ["ROTATION_ESCROW_DUE", (rig) => Object.assign(rig, { isEscrowed: false })],
    ["ROTATION_CONSUMERS_BEHIND", (rig) => Object.assign(rig, { consumersReady: false })],
    ["ROTATION_GROUP_NOT_READY", (rig) => set(rig, { phase: "UNKNOWN" }, viewerId), { viewer: true, grouped: true }],
    ["ROTATION_CLOCK", (rig) => Object.assign(rig, { hi: null }), { rotate: "interval", intervalS: 60 }],
    ["ROTATION_WINDOW_CLOSED", (rig) => Object.assign(rig, { windows: [{ days: daily, startMinute: 1200, minutes: 60 }] })],
    ["ROTATION_PERMIT_NEEDED", () => {}, { requirePermit: true }],
    ["ROTATION_DEVICE_BUSY", (rig) => set(rig, { phase: "PROBE" }, viewerId), { viewer: true }],
    ["ROTATION_BREAK_GLASS", (rig) => set(rig, { phase: "UNKNOWN" }, viewerId), { viewer: true, breakGlass: true }],
    ["ROTATION_UNSETTLED", (rig) => touch(rig, { lastPush: { bootId: "boot-1", sinceBootMs: rig.time.sinceBootMs } })],
    ["ROTATION_POOL_EMPTY", (rig) => Object.assign(rig, { values: none })],
    ["ROTATION_BACK_OFF", (rig) => Object.assign(rig.account, { retryAtMs: rig.time.sinceBootMs + hour })],
    ["ROTATION_BUDGET_SPENT", (rig) => spend(rig), { lockout: "unknown" }],
    ["ROTATION_IDENTITY", (rig) => Object.assign(rig.account, { identityChanged: true })],
    ["ROTATION_BUSY", (rig) => set(rig, { phase: "STAGED", next: rig.account.record.state.pool[0]?.ref ?? null })],
  ];
  for (const [code, block, options] of cases) {
    const rig = ready(options);
    if (code === "ROTATION_POOL_EMPTY") set(rig, { pool: [] });
    block(rig);
    t.equal(
      rig
        .sync()
        .engine.checks(rig.account)
        .find(({ blocks }) => blocks)?.code,
      code,
    );
    await rig.order("rotate").pass(1_000);
    if (code !== "ROTATION_BUSY")
      t.same(
        [...rig.device.seen, ...rig.other.seen].filter((each) => !each.startsWith("verify")),
        [],
        code,
      );
    if (code !== "ROTATION_DEVICE_BUSY" && code !== "ROTATION_BUSY") t.same(rig.device.seen, [], `${code}: not even a proof`);
  }
  const rig = ready();
  const known = rig.engine.checks(rig.account).map((each) => each.code);
  t.same(cases.map(([code]) => code).sort(), known.sort(), "every refusal is here");
});

t.test("a value that the model forbids is refused before a packet leaves, and the next one is taken", async (t) => {
  const rig = new RotationRig();
  rig.values = [
    [0, "old", "current"],
    [1, "NOT ALLOWED", "pool"],
    [2, "new-2", "pool"],
  ];
  await rig.sync().order("verify").pass(hour);
  rig.device.seen.length = 0;
  await rig.order("rotate").pass(hour);
  t.same(rig.device.seen[0], "prepare old");
  t.equal(rig.device.live, "new-2");
  t.same(
    rig.reports.filter((each) => !each.startsWith("proven")),
    ["rejected 1", "verified 2"],
  );
  t.equal(rig.device.seen.filter((each) => each.startsWith("prepare")).length, 1, "once, for the value that fits");
});

function set(rig: RotationRig, change: Partial<RotationRig["account"]["record"]["state"]>, of?: Uint8Array): void {
  const account = of === undefined ? rig.account : rig.accountOf(of);
  account.record = { ...account.record, state: { ...account.record.state, ...change } };
}

function touch(rig: RotationRig, change: Partial<RotationRig["account"]["record"]>): void {
  rig.account.record = { ...rig.account.record, ...change };
}

function spend(rig: RotationRig): void {
  set(rig, { spent: 1 });
  touch(rig, { lastAttempt: { bootId: "boot-1", sinceBootMs: rig.time.sinceBootMs } });
}
