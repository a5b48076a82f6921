import t from "tap";
import { attemptLimit, type DeviceOutcome } from "../../../protocol/rotation/index.ts";
import { value } from "../../model/device-world.ts";
import { fit, MachineRig, pushed } from "./machine-rig.ts";

t.test("each outcome of the probe leads where it should", async (t) => {
  const cases: readonly [
    title: string,
    push: DeviceOutcome,
    logins: DeviceOutcome[],
    phase: string,
    current: number,
    next: number | null,
  ][] = [
    ["new works", "AMBIGUOUS", ["OK"], "NEW-OK", 0, 1],
    ["current works", "AMBIGUOUS", ["REJECTED_AUTH", "OK"], "STAGED", 0, 1],
    ["refused by policy, current works", "REJECTED_POLICY", ["OK"], "STAGED", 0, 2],
    ["refused by policy, but live all the same", "REJECTED_POLICY", ["REJECTED_AUTH", "OK"], "NEW-OK", 0, 1],
    ["no answer for new, current works", "AMBIGUOUS", ["AMBIGUOUS", "OK"], "STAGED", 0, 1],
    ["unreachable", "AMBIGUOUS", ["NOT_SENT"], "PROBE", 0, 1],
  ];
  for (const [title, push, logins, phase, current, next] of cases) {
    const rig = pushed(push);
    rig.inputs = { ...fit, attemptLimit: 10 };
    rig.run(...logins);
    t.same([rig.state.phase, rig.state.current, rig.state.next], [phase, current, next], title);
  }
});

t.test("a probe that finds nothing asks twice, then stops for good and alarms", async (t) => {
  const rig = pushed("AMBIGUOUS");
  rig.inputs = { ...fit, attemptLimit: 10, settled: false };
  rig.run("REJECTED_AUTH", "REJECTED_AUTH").tick();
  t.same(rig.codes, ["ROTATION_UNSETTLED"], "a late change may land yet");
  rig.inputs = { ...rig.inputs, settled: true };
  rig.tick().tick();
  t.equal(rig.action, "verify 2", "newest first, the pool too: an edge in whose place this one came may have sent it");
  rig.answer("REJECTED_AUTH").run("REJECTED_AUTH", "REJECTED_AUTH").tick();
  t.equal(rig.state.phase, "UNKNOWN");
  t.same(rig.codes, ["ROTATION_UNKNOWN"]);
  t.same(rig.reports, ["unknown 1"]);
  t.same(rig.candidates, [1, 0]);
  t.equal(rig.tick().action, undefined, "no more attempts");
  t.same(rig.rotate().codes, ["ROTATION_UNKNOWN"]);
  t.same(rig.do({ kind: "verify" }).codes, ["ROTATION_UNKNOWN"]);
  t.equal(rig.do({ kind: "retry" }).state.phase, "PROBE", "an operator may ask again");
  t.equal(rig.run("OK").state.phase, "NEW-OK");
});

t.test("config restore brings an old password back: recognised, current, nothing forgotten", async (t) => {
  const rig = new MachineRig().rotate().run("OK", "OK", "OK", "OK", "OK").do({ kind: "verify" }).run("REJECTED_AUTH", "OK");
  t.equal(rig.state.phase, "IDLE");
  t.equal(rig.state.current, 0);
  t.same(rig.codes, ["ROTATION_REVERTED"]);
  t.same(rig.reports, ["reverted 0"]);
  t.same(rig.candidates, [0, 1]);
});

t.test("a value rejected by the target is not tried again: next of the pool, then the vault's turn", async (t) => {
  const rig = pushed("REJECTED_POLICY").run("OK");
  t.same(rig.reports, ["rejected 1"]);
  t.same([rig.state.phase, rig.state.next], ["STAGED", 2]);
  rig.run("OK", "REJECTED_POLICY", "OK");
  t.same(rig.reports, ["rejected 2"]);
  t.same(rig.codes, ["ROTATION_POOL_REJECTED"]);
  t.equal(rig.state.phase, "IDLE");
  t.same(rig.candidates, [2, 1, 0], "refused values stay candidates");
  t.same(rig.rotate().codes, ["ROTATION_POOL_EMPTY"]);
});

t.test("every connection error taken for a bad password: a dead network spends nothing and decides nothing", async (t) => {
  const rig = pushed("AMBIGUOUS");
  const spent = rig.state.spent;
  for (let at = 0; at < 20; at += 1) rig.run("NOT_SENT");
  t.equal(rig.state.phase, "PROBE");
  t.equal(rig.state.spent, spent);
  t.same(rig.codes, ["ROTATION_BACK_OFF"]);
});

t.test("immediate endless retry: without budget or in back-off no login leaves", async (t) => {
  const rig = pushed("AMBIGUOUS");
  rig.inputs = { ...fit, attemptLimit: 1 };
  t.same(rig.tick().codes, ["ROTATION_BUDGET_SPENT"]);
  rig.do({ kind: "restart" }).tick();
  t.same(rig.codes, ["ROTATION_BUDGET_SPENT"], "a restart gives nothing back");
  rig.do({ kind: "refill" });
  rig.inputs = { ...rig.inputs, backedOff: false };
  t.same(rig.tick().codes, ["ROTATION_BACK_OFF"]);
  rig.inputs = { ...rig.inputs, backedOff: true };
  t.equal(rig.tick().action, "verify 1");
  t.equal(rig.do({ kind: "refill" }).state.spent, 1, "a login under way is not forgiven");
});

t.test("attempts stay two below the lockout", async (t) => {
  for (const [threshold, limit] of [
    [1, 0],
    [2, 0],
    [3, 1],
    [5, 3],
    [1000, 10],
    ["unknown", 1],
    ["none", 10],
  ] as const) {
    t.equal(attemptLimit(threshold), limit, String(threshold));
  }
});

t.test("a late apply from an earlier push: the same value waits for the settle time", async (t) => {
  const rig = pushed("AMBIGUOUS").run("REJECTED_AUTH", "OK");
  rig.inputs = { ...fit, settled: false };
  t.same(rig.tick().codes, ["ROTATION_UNSETTLED"]);
  t.equal(rig.state.next, 1);
});

t.test("many pushes without an answer are alarmed once", async (t) => {
  const rig = new MachineRig();
  rig.inputs = { ...fit, attemptLimit: 100 };
  rig.rotate().run("OK");
  let alarms = 0;
  for (let at = 0; at < 12; at += 1) {
    alarms += rig.codes.filter((code) => code === "ROTATION_NO_ANSWER").length;
    rig.answer("AMBIGUOUS").run("REJECTED_AUTH", "OK", "OK").tick();
  }
  t.equal(alarms, 1);
});

t.test("what a person gives is believed after a login, and nothing is dropped", async (t) => {
  const rig = new MachineRig().do({ kind: "given", candidate: value(9) });
  t.same([rig.state.phase, rig.state.current], ["PROBE", 9]);
  t.same(rig.candidates, [9, 0]);
  t.same(rig.run("OK").reports, ["proven 9"]);
  t.same(rig.state.history, [value(2), value(1)]);
  t.same(
    new MachineRig()
      .rotate()
      .tick()
      .do({ kind: "given", candidate: value(9) }).codes,
    ["ROTATION_BUSY"],
  );
  t.same(new MachineRig().do({ kind: "given", candidate: value(9) }).run("REJECTED_AUTH", "OK").codes, ["ROTATION_REVERTED"]);
});

t.test("whatever a probe finds that was sent or given and not saved is saved before the account rests", async (t) => {
  const reverted = () =>
    pushed("AMBIGUOUS")
      .do({ kind: "given", candidate: value(9) })
      .run("REJECTED_AUTH")
      .do({ kind: "refill" });
  const rig = reverted().run("OK");
  t.same([rig.state.phase, rig.state.current, rig.reports], ["NEW-OK", 1, ["reverted 1"]]);
  t.equal(rig.tick().action, "save 1");
  t.equal(rig.answer("OK").tick().action, "verify 1");
  rig.answer("OK");
  t.same([rig.state.phase, rig.state.next, rig.reports], ["IDLE", null, []], "it was reported when it was found");
  t.same(rig.candidates, [1, 9, 0]);

  const lost = reverted().run("OK", "AMBIGUOUS");
  t.equal(lost.state.phase, "PROBE", "nobody knows whether it was saved");
  t.equal(lost.do({ kind: "refill" }).run("OK").tick().action, "save 1");
  const back = reverted().run("OK", "OK", "REJECTED_AUTH").do({ kind: "refill" }).run("REJECTED_AUTH");
  t.same(
    [back.do({ kind: "refill" }).run("OK").state.phase, back.state.current],
    ["IDLE", 0],
    "what it came back with was kept",
  );

  const later = reverted().run("OK", "AMBIGUOUS").do({ kind: "refill" }).run("REJECTED_AUTH").do({ kind: "refill" });
  later.run("OK", "AMBIGUOUS").do({ kind: "refill" }).run("AMBIGUOUS").do({ kind: "refill" }).run("OK");
  t.same([later.state.phase, later.state.current, later.state.next], ["STAGED", 1, 9], "a push that lands late brings it back");
  t.equal(later.do({ kind: "cancel" }).tick().action, "save 1", "and what is staged is given up");

  const keeps = reverted();
  keeps.inputs = { ...fit, needsSave: false };
  t.equal(keeps.run("OK").state.phase, "IDLE", "a device without a save step");
  const never = new MachineRig();
  never.inputs = { ...fit, policy: "never" };
  t.equal(never.do({ kind: "given", candidate: value(9) }).run("OK").state.phase, "IDLE", "a device that is never written to");
  const late = new MachineRig();
  late.inputs = never.inputs;
  late
    .do({ kind: "given", candidate: value(9) })
    .run("REJECTED_AUTH", "OK")
    .do({ kind: "verify" })
    .answer("REJECTED_AUTH");
  late.do({ kind: "refill" }).run("OK");
  t.same([late.state.phase, late.state.current, late.reports], ["IDLE", 9, ["proven 9"]], "nor where it was refused at first");
});

t.test("what was issued before a given value is staged no more, and what was sent stays a candidate", async (t) => {
  const rig = new MachineRig().do({ kind: "given", candidate: value(3) }).run("OK", "OK", "OK");
  t.same(rig.rotate().codes, ["ROTATION_POOL_EMPTY"]);
  t.same(rig.do({ kind: "issued", candidate: value(4) }).do({ kind: "issued", candidate: value(5) }).state.pool, [
    value(4),
    value(5),
  ]);
  t.equal(rig.rotate().state.next, 4);

  const sent = pushed("AMBIGUOUS").do({ kind: "given", candidate: value(3) });
  t.same(sent.candidates, [3, 1, 0]);
  t.same([sent.state.pool, sent.state.history], [[], [value(2)]]);
});

t.test("after a restored store the budget is spent, the account held, and the pool may be live", async (t) => {
  const rig = new MachineRig();
  rig.inputs = { ...fit, attemptLimit: 10 };
  rig.do({ kind: "restored" });
  t.same(rig.candidates, [2, 1, 0]);
  t.same(rig.tick().codes, ["ROTATION_BUDGET_SPENT"]);
  rig.do({ kind: "refill" }).run("REJECTED_AUTH", "REJECTED_AUTH", "OK");
  t.same([rig.state.phase, rig.state.next], ["NEW-OK", 1]);
  rig.run("OK", "OK");
  t.same([rig.state.phase, rig.state.current], ["VERIFIED", 1]);
  t.same(rig.rotate().codes, ["ROTATION_HELD"]);
});

t.test("verify is read-only, spends budget and gives it back", async (t) => {
  const rig = new MachineRig();
  rig.inputs = { ...fit, policy: "never" };
  t.equal(rig.do({ kind: "verify" }).action, "verify 0");
  t.equal(rig.state.spent, 1);
  t.same(rig.do({ kind: "verify" }).codes, ["ROTATION_BUSY"]);
  t.same(rig.answer("OK").reports, ["proven 0"]);
  t.equal(rig.state.spent, 0);
});
