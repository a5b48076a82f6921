import t from "tap";
import { recheckAfterS, recheckRetryS } from "../../edge/rotation/limits.ts";
import { type RotationRig, ready } from "./rotation-rig.ts";

const second = 1_000;
const day = recheckAfterS * second;

/** Rotated to the first value of the pool, with nothing seen of the device since. */
async function rotated(): Promise<RotationRig> {
  const rig = await ready()
    .order("rotate")
    .pass(60 * second);
  t.equal(rig.phase, "VERIFIED");
  rig.device.seen.length = 0;
  return rig;
}

t.test("a value that was verified is proven once more the next day, and then left alone", async (t) => {
  const rig = await rotated();
  const at = rig.account.record.recheckAtS ?? 0;
  await rig.pass((at - rig.nowS() - 1) * second);
  t.same(rig.device.seen, []);
  rig.crash();
  await rig.pass(2 * second);
  t.same(rig.device.seen, ["verify new-1"], "a restart forgets nothing");
  t.equal(rig.reports.at(-1), "proven 1");
  await rig.pass(7 * day);
  t.equal(rig.device.seen.length, 1);
});

t.test("what a device came back with in the night is found by that", async (t) => {
  const rig = await rotated();
  rig.device.live = "old";
  await rig.pass(day + 60 * second);
  t.same(rig.reports.at(-1), "reverted 0");
  t.same(rig.alarms, ["ROTATION_REVERTED"]);
  t.equal(rig.account.record.recheckAtS, null);
});

t.test("a device that is away is asked again once an hour", async (t) => {
  const rig = await rotated();
  for (let i = 0; i < 100; i += 1) rig.device.tricks.push({ op: "verify", trick: "unreachable" });
  await rig.pass(day + 10 * recheckRetryS * second);
  const asked = rig.device.seen.length;
  t.ok(asked >= 8 && asked <= 12, `${asked} times in ten hours`);
  t.equal(rig.phase, "VERIFIED");
});
