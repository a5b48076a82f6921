import t from "tap";
import {
  adopted,
  decodeRotation,
  encodeRotation,
  isUnsettled,
  type RotationCode,
  type RotationEvent,
  type RotationInputs,
  type RotationState,
  startChecks,
  stateName,
} from "../../../protocol/rotation/index.ts";
import { value } from "../../model/device-world.ts";
import { fit, MachineRig, pushed } from "./machine-rig.ts";

/** A machine in another state than the first. */
function rigIn(state: Partial<RotationState>): MachineRig {
  const rig = new MachineRig();
  rig.state = { ...rig.state, ...state };
  return rig;
}

t.test("a rotation goes through every state and reports at its end only", async (t) => {
  const rig = new MachineRig();
  const seen: string[] = [];
  const walk = (name: string) => {
    seen.push(`${name}: ${rig.state.phase}${rig.action === undefined ? "" : ` ${rig.action}`}`);
    if (rig.reports.length > 0) seen.push(`report ${rig.reports.join()}`);
  };
  rig.rotate();
  walk("rotate");
  for (let at = 0; at < 4; at += 1) {
    rig.tick();
    walk("tick");
    rig.answer("OK");
    walk("OK");
    if (rig.state.pending === null) continue;
    rig.answer("OK");
    walk("OK");
  }
  rig.do({ kind: "acknowledged", index: [1, 1] });
  walk("acknowledged");
  t.same(seen, [
    "rotate: STAGED",
    "tick: STAGED prepare 1",
    "OK: SENT push 1",
    "OK: PROBE",
    "tick: PROBE verify 1",
    "OK: NEW-OK",
    "tick: NEW-OK save 1",
    "OK: SAVED",
    "tick: SAVED verify 1",
    "OK: VERIFIED",
    "report verified 1",
    "acknowledged: IDLE",
  ]);
  t.equal(rig.state.current, 1);
  t.equal(rig.state.spent, 0, "every success gave its attempt back");
  t.same(rig.state.history, [value(0)], "the former value is kept in history");
});

t.test("the new value is a candidate, and its attempt is debited, in the transaction before the push", async (t) => {
  const rig = new MachineRig().rotate().tick().answer("OK");
  t.equal(rig.action, "push 1");
  t.equal(rig.state.phase, "SENT");
  t.same(rig.candidates, [1, 0]);
  t.equal(rig.state.spent, 1);
  t.ok(isUnsettled(rig.state));
});

t.test("an answer that proves nothing leads to a probe and never to a failure", async (t) => {
  for (const outcome of ["OK", "AMBIGUOUS", "REJECTED_AUTH", "REJECTED_POLICY"] as const) {
    const rig = pushed(outcome);
    t.equal(rig.state.phase, "PROBE", outcome);
    t.same(rig.candidates, [1, 0], outcome);
  }
  const rig = pushed("NOT_SENT");
  t.equal(rig.state.phase, "STAGED");
  t.same(rig.candidates, [1, 0], "even then nothing is forgotten");
});

t.test("only what may have reached the device spends an attempt", async (t) => {
  for (const [outcome, spent] of [
    ["OK", 0],
    ["NOT_SENT", 0],
    ["REJECTED_POLICY", 0],
    ["REJECTED_AUTH", 1],
    ["AMBIGUOUS", 1],
  ] as const) {
    t.equal(pushed(outcome).state.spent, spent, outcome);
  }
  t.equal(
    new MachineRig().rotate().tick().answer("OK").answer("AMBIGUOUS", { spent: false }).state.spent,
    0,
    "the login was accepted",
  );
});

t.test("a value that does not fit the device is refused before anything is sent", async (t) => {
  const rig = new MachineRig().rotate().run("REJECTED_POLICY");
  t.same(rig.reports, ["rejected 1"]);
  t.same([rig.state.phase, rig.state.next], ["STAGED", 2]);
  t.same(rig.candidates, [0]);
});

t.test("everything that can be refused is refused before the device is touched, and again before the push", async (t) => {
  const held: RotationEvent = { kind: "hold", cause: "fork" };
  const cases: readonly { code: RotationCode; inputs?: Partial<RotationInputs>; before?: RotationEvent }[] = [
    { code: "ROTATION_HELD", before: held },
    { code: "ROTATION_ON_HOLD", inputs: { onHold: true } },
    { code: "ROTATION_NOT_ALLOWED", inputs: { policy: "never" } },
    { code: "ROTATION_LOCKOUT_TOO_LOW", inputs: { attemptLimit: 0 } },
    { code: "ROTATION_BUDGET_SPENT", inputs: { spentElsewhere: 3 } },
    { code: "ROTATION_NO_SPACE", inputs: { spaceReserved: false } },
    { code: "ROTATION_ESCROW_DUE", inputs: { escrowed: false } },
    { code: "ROTATION_CONSUMERS_BEHIND", inputs: { consumersReady: false } },
    { code: "ROTATION_GROUP_NOT_READY", inputs: { groupReady: false } },
    { code: "ROTATION_CLOCK", inputs: { clockFit: false, windowOpen: false } },
    { code: "ROTATION_WINDOW_CLOSED", inputs: { windowOpen: false } },
    { code: "ROTATION_PERMIT_NEEDED", inputs: { permitted: false } },
    { code: "ROTATION_DEVICE_BUSY", inputs: { deviceFree: false } },
    { code: "ROTATION_BREAK_GLASS", inputs: { breakGlassFree: false } },
    { code: "ROTATION_UNSETTLED", inputs: { settled: false } },
    { code: "ROTATION_BACK_OFF", inputs: { backedOff: false } },
    { code: "ROTATION_IDENTITY", inputs: { identityPinned: false } },
  ];
  for (const { code, inputs, before } of cases) {
    const rig = new MachineRig();
    const block = () => {
      if (before !== undefined) rig.do(before);
      rig.inputs = { ...fit, ...inputs };
    };
    const unblock = () => {
      if (before !== undefined) rig.do({ kind: "release" });
      rig.inputs = fit;
    };
    block();
    const { state } = rig;
    t.same(rig.rotate().codes, [code]);
    t.same(rig.state, state, `${code}: nothing changed`);
    t.notOk(rig.action, `${code}: nothing was sent`);
    unblock();
    rig.rotate();
    block();
    t.same(rig.tick().codes, [code], `${code}: nor later`);
    t.notOk(rig.action);
    unblock();
    rig.tick();
    block();
    t.same(rig.answer("OK").codes, [code], `${code}: nor after the request was made`);
    t.notOk(rig.action);
    t.same(rig.candidates, [0]);
    t.same(rig.do({ kind: "cancel" }).state.pool, [value(1), value(2)], "a value that was not sent can be given back");
  }
  const unfit: readonly [RotationCode, MachineRig][] = [
    ["ROTATION_POOL_EMPTY", rigIn({ pool: [] })],
    ["ROTATION_UNKNOWN", rigIn({ phase: "UNKNOWN" })],
    ["ROTATION_BUSY", new MachineRig().rotate()],
  ];
  for (const [code, rig] of unfit) {
    t.same(rig.rotate().codes, [code]);
    t.notOk(rig.action);
  }
  const asked = startChecks(new MachineRig().state, "order", fit);
  t.same(
    asked.map(({ code }) => code).sort(),
    [...cases, ...unfit.map(([code]) => ({ code }))].map(({ code }) => code).sort(),
    "every reason is here",
  );
  t.notOk(asked.some(({ blocks }) => blocks));
  const onDemand = new MachineRig();
  onDemand.inputs = { ...fit, policy: "on-demand" };
  t.same(onDemand.do({ kind: "rotate", by: "interval" }).codes, ["ROTATION_NOT_ALLOWED"]);
});

t.test("a proof of who the device is goes out only where nothing else stands in the way", async (t) => {
  for (const { code } of startChecks(new MachineRig().state, "order", fit).slice(0, -1)) t.not(code, "ROTATION_IDENTITY");
  const rig = rigIn({ pool: [] });
  rig.inputs = { ...fit, identityPinned: false };
  t.same(rig.rotate().codes, ["ROTATION_POOL_EMPTY"]);
});

t.test("a save or a proof is finished outside the window and while held", async (t) => {
  const rig = pushed("OK");
  rig.inputs = { ...fit, windowOpen: false, clockFit: false };
  rig.do({ kind: "hold", cause: "clock" }).run("OK", "OK", "OK");
  t.equal(rig.state.phase, "VERIFIED");
  t.equal(stateName(rig.state), "QUARANTINE");
  t.same(rig.rotate().codes, ["ROTATION_HELD"]);
  t.equal(rig.do({ kind: "release" }).state.hold, null);
  t.same(rig.do({ kind: "release" }).codes, ["ROTATION_NOT_NOW"]);
});

t.test("a crash is an answer that never came", async (t) => {
  const after = (rig: MachineRig) => {
    rig.do({ kind: "restart" });
    return `${rig.state.phase} ${rig.tick().action}`;
  };
  t.equal(after(new MachineRig().rotate()), "STAGED prepare 1");
  t.equal(after(new MachineRig().rotate().tick()), "STAGED prepare 1");
  t.equal(after(new MachineRig().rotate().tick().answer("OK")), "PROBE verify 1");
  t.equal(after(pushed("OK").tick()), "PROBE verify 1");
  t.equal(after(pushed("OK").run("OK")), "NEW-OK save 1");
  t.equal(after(pushed("OK").run("OK").tick()), "NEW-OK save 1");
  t.equal(after(pushed("OK").run("OK", "OK")), "SAVED verify 1");
  t.equal(after(pushed("OK").run("OK", "OK").tick()), "SAVED verify 1");
  const late = new MachineRig().rotate().tick();
  const pending = late.state.pending;
  t.not(pending, null);
  const before = late.do({ kind: "restart" }).state;
  if (pending !== null) late.do({ kind: "answer", ...pending, outcome: "OK", spent: false, prepareAgain: false });
  t.same(late.state, before, "an answer to what was pending before it is no news");
});

t.test("a reboot before save: what came back is pushed again, the same value and the same request", async (t) => {
  const rig = pushed("OK").run("OK", "REJECTED_AUTH", "REJECTED_AUTH", "OK");
  t.same([rig.state.phase, rig.state.next], ["STAGED", 1]);
  t.equal(rig.tick().action, "verify 0", "nothing is prepared anew");
  t.equal(rig.answer("OK").tick().action, "push 1");
  t.equal(rig.answer("OK").run("OK", "OK", "OK").state.current, 1);
});

t.test("a request that can never take effect any more is made anew", async (t) => {
  const rig = new MachineRig().rotate().tick().answer("OK").answer("NOT_SENT", { prepareAgain: true });
  t.equal(rig.tick().action, "prepare 1");
});

t.test("a save that the device refuses is alarmed and never reported as verified", async (t) => {
  const rig = pushed("OK").run("OK", "REJECTED_POLICY");
  t.same(rig.codes, ["ROTATION_SAVE_REFUSED"]);
  t.equal(rig.state.phase, "PROBE");
});

t.test("adopting, policy changes and acknowledgements never delete a candidate", async (t) => {
  const rig = pushed("AMBIGUOUS");
  rig.inputs = { ...fit, policy: "never" };
  rig.do({ kind: "acknowledged", index: [1, 1] }).do({ kind: "restart" });
  t.same(rig.candidates, [1, 0]);
  t.equal(rig.tick().action, "verify 1", "what may be live is still found out");
});

t.test("the pool takes two values, each once", async (t) => {
  const rig = new MachineRig();
  t.same(rig.do({ kind: "issued", candidate: value(2) }).codes, [], "the same one again is no news");
  t.same(rig.do({ kind: "issued", candidate: value(3) }).codes, ["ROTATION_POOL_FULL"]);
  rig.rotate().run("OK", "OK");
  t.same(rig.do({ kind: "issued", candidate: value(3) }).codes, ["ROTATION_POOL_FULL"], "a sent one counts");
  rig.run("OK", "OK", "OK").do({ kind: "issued", candidate: value(3) });
  t.same(rig.state.pool, [value(2), value(3)]);
});

t.test("a stored state that this machine does not write is refused", async (t) => {
  const good = encodeRotation(pushed("AMBIGUOUS").state);
  for (let length = 0; length < good.length; length += 1) {
    t.throws(() => decodeRotation(good.subarray(0, length)), { code: "ROTATION_STATE_MALFORMED" });
  }
  const bad: readonly RotationState[] = [
    { ...adopted(value(0)), current: 7 },
    { ...adopted(value(0)), phase: "SENT" },
    { ...adopted(value(0)), pending: { action: "push", ref: 7 } },
  ];
  for (const state of bad) t.throws(() => decodeRotation(encodeRotation(state)), { code: "ROTATION_STATE_MALFORMED" });
});
