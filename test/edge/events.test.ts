import t from "tap";
import { contentLimits, rotateOnBit } from "../../protocol/content/index.ts";
import { ready } from "./rotation-rig.ts";

const minute = 60_000;
const { personRead, revert } = rotateOnBit;

t.test("what a person read is rotated once they had time to use it, through a power cut too", async (t) => {
  const rig = ready();
  rig.rotateOn = personRead;
  rig.sync();
  await rig.pass(minute);
  rig.engine.personRead(rig.account);
  const at = rig.nowS();
  await rig.pass((contentLimits.personReadGraceS - 60) * 1000);
  t.equal(rig.device.live, "old", "not while they may be at work with it");
  rig.crash();
  await rig.pass(10 * minute);
  t.equal(rig.device.live, "new-1");
  t.ok(rig.nowS() - at >= contentLimits.personReadGraceS);
  await rig.pass(24 * 60 * minute);
  t.equal(rig.device.live, "new-1", "once");
});

t.test(
  "a read is no reason where the account does not ask for it, is never rotated, or its value has changed since",
  async (t) => {
    for (const options of [{ on: 0 }, { on: revert }, { on: personRead, rotate: "never" as const }]) {
      const rig = ready(options.rotate === undefined ? {} : { rotate: options.rotate });
      rig.rotateOn = options.on;
      rig.sync();
      rig.engine.personRead(rig.account);
      await rig.pass(5 * 60 * minute);
      t.equal(rig.device.live, "old");
    }
    const rig = ready();
    rig.rotateOn = personRead;
    rig.sync().engine.personRead(rig.account);
    await rig.order("rotate").pass(30 * minute);
    t.equal(rig.device.live, "new-1", "by an order meanwhile");
    await rig.pass(5 * 60 * minute);
    t.equal(rig.device.live, "new-1", "what they read is not live any more");
  },
);

t.test("an older password that came back is replaced where the account asks for it", async (t) => {
  for (const [on, live] of [
    [revert, "new-2"],
    [personRead, "old"],
  ] as const) {
    const rig = ready();
    rig.rotateOn = on;
    await rig
      .sync()
      .order("rotate")
      .pass(60 * minute);
    t.equal(rig.device.live, "new-1");
    rig.device.live = "old";
    rig.device.saved = "old";
    await rig.order("verify").pass(4 * 60 * minute);
    t.ok(rig.alarms.includes("ROTATION_REVERTED"));
    t.equal(rig.device.live, live);
  }
});
