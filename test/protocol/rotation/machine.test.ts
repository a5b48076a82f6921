import t from "tap";
import {
  adopted,
  attemptLimit,
  type DeviceOutcome,
  decodeRotation,
  encodeRotation,
  isUnsettled,
  type RotationCode,
  type RotationEffect,
  type RotationEvent,
  type RotationInputs,
  type RotationState,
  stateName,
  step,
} from "../../../protocol/rotation/index.ts";
import { value } from "./explorer.ts";

const fit: RotationInputs = {
  attemptLimit: 3,
  policy: "interval",
  windowOpen: true,
  clockFit: true,
  settled: true,
  backedOff: true,
  spaceReserved: true,
  identityPinned: true,
  consumersReady: true,
  escrowed: true,
  deviceFree: true,
};

/** A machine that remembers every effect, and checks at each step that its state survives encoding. */
class Rig {
  state: RotationState = { ...adopted(value(0)), pool: [value(1), value(2)] };
  effects: RotationEffect[] = [];
  inputs: RotationInputs = fit;

  do(event: RotationEvent): this {
    const to = step(this.state, event, this.inputs);
    this.state = decodeRotation(encodeRotation(to.state));
    this.effects = [...to.effects];
    return this;
  }

  tick(): this {
    return this.do({ kind: "tick" });
  }

  /** Answers what is pending. */
  answer(outcome: DeviceOutcome, options: { spent?: boolean; prepareAgain?: boolean } = {}): this {
    const { pending } = this.state;
    if (pending === null) throw new Error("nothing is pending");
    const spent = options.spent ?? (outcome === "REJECTED_AUTH" || outcome === "AMBIGUOUS");
    return this.do({ kind: "answer", ...pending, outcome, spent, prepareAgain: options.prepareAgain ?? false });
  }

  /** Ticks and answers in turn; the tick in front is left out where something is pending already. */
  run(...outcomes: DeviceOutcome[]): this {
    for (const outcome of outcomes) {
      for (let at = 0; at < 3 && this.state.pending === null; at += 1) this.tick();
      this.answer(outcome);
    }
    return this;
  }

  rotate(): this {
    return this.do({ kind: "rotate", by: "order" });
  }

  /** The device action that the last step allowed, as `action ref`. */
  get action(): string | undefined {
    return this.effects.flatMap((effect) => (effect.kind === "device" ? [`${effect.action} ${effect.ref}`] : []))[0];
  }

  get codes(): RotationCode[] {
    return this.effects.flatMap((effect) =>
      effect.kind === "refuse" || effect.kind === "wait" || effect.kind === "alarm" ? [effect.code] : [],
    );
  }

  get reports(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === "report" ? [`${effect.report} ${effect.ref}`] : []));
  }

  get candidates(): number[] {
    return this.state.candidates.map(({ ref }) => ref);
  }
}

/** Rotated up to the push of value 1, which was answered so. */
const pushed = (outcome: DeviceOutcome) => new Rig().rotate().run("OK", outcome);

t.test("a rotation goes through every state and reports at its end only", async (t) => {
  const rig = new Rig();
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
  const rig = new Rig().rotate().tick().answer("OK");
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
    new Rig().rotate().tick().answer("OK").answer("AMBIGUOUS", { spent: false }).state.spent,
    0,
    "the login was accepted",
  );
});

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
  rig.run("REJECTED_AUTH", "REJECTED_AUTH").tick();
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
  const rig = new Rig().rotate().run("OK", "OK", "OK", "OK", "OK").do({ kind: "verify" }).run("REJECTED_AUTH", "OK");
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

t.test("a value that does not fit the device is refused before anything is sent", async (t) => {
  const rig = new Rig().rotate().run("REJECTED_POLICY");
  t.same(rig.reports, ["rejected 1"]);
  t.same([rig.state.phase, rig.state.next], ["STAGED", 2]);
  t.same(rig.candidates, [0]);
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

t.test("everything that can be refused is refused before the device is touched, and again before the push", async (t) => {
  const blocks: readonly [Partial<RotationInputs>, RotationCode][] = [
    [{ policy: "never" }, "ROTATION_NOT_ALLOWED"],
    [{ attemptLimit: 0 }, "ROTATION_LOCKOUT_TOO_LOW"],
    [{ identityPinned: false }, "ROTATION_IDENTITY"],
    [{ spaceReserved: false }, "ROTATION_NO_SPACE"],
    [{ consumersReady: false }, "ROTATION_CONSUMERS_BEHIND"],
    [{ escrowed: false }, "ROTATION_ESCROW_DUE"],
    [{ clockFit: false }, "ROTATION_CLOCK"],
    [{ windowOpen: false }, "ROTATION_WINDOW_CLOSED"],
    [{ deviceFree: false }, "ROTATION_DEVICE_BUSY"],
    [{ settled: false }, "ROTATION_UNSETTLED"],
    [{ backedOff: false }, "ROTATION_BACK_OFF"],
  ];
  for (const [inputs, code] of blocks) {
    const rig = new Rig();
    rig.inputs = { ...fit, ...inputs };
    const before = rig.state;
    t.same(rig.rotate().codes, [code]);
    t.same(rig.state, before, `${code}: nothing changed`);
    rig.inputs = fit;
    rig.rotate();
    rig.inputs = { ...fit, ...inputs };
    t.same(rig.tick().codes, [code], `${code}: nor later`);
    rig.inputs = fit;
    rig.tick();
    rig.inputs = { ...fit, ...inputs };
    t.same(rig.answer("OK").codes, [code], `${code}: nor after the request was made`);
    t.same(rig.candidates, [0]);
    t.same(rig.do({ kind: "cancel" }).state.pool, [value(1), value(2)], "a value that was not sent can be given back");
  }
  const onDemand = new Rig();
  onDemand.inputs = { ...fit, policy: "on-demand" };
  t.same(onDemand.do({ kind: "rotate", by: "interval" }).codes, ["ROTATION_NOT_ALLOWED"]);
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
  const after = (rig: Rig) => {
    rig.do({ kind: "restart" });
    return `${rig.state.phase} ${rig.tick().action}`;
  };
  t.equal(after(new Rig().rotate()), "STAGED prepare 1");
  t.equal(after(new Rig().rotate().tick()), "STAGED prepare 1");
  t.equal(after(new Rig().rotate().tick().answer("OK")), "PROBE verify 1");
  t.equal(after(pushed("OK").tick()), "PROBE verify 1");
  t.equal(after(pushed("OK").run("OK")), "NEW-OK save 1");
  t.equal(after(pushed("OK").run("OK").tick()), "NEW-OK save 1");
  t.equal(after(pushed("OK").run("OK", "OK")), "SAVED verify 1");
  t.equal(after(pushed("OK").run("OK", "OK").tick()), "SAVED verify 1");
  const late = new Rig().rotate().tick();
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
  const rig = new Rig().rotate().tick().answer("OK").answer("NOT_SENT", { prepareAgain: true });
  t.equal(rig.tick().action, "prepare 1");
});

t.test("a late apply from an earlier push: the same value waits for the settle time", async (t) => {
  const rig = pushed("AMBIGUOUS").run("REJECTED_AUTH", "OK");
  rig.inputs = { ...fit, settled: false };
  t.same(rig.tick().codes, ["ROTATION_UNSETTLED"]);
  t.equal(rig.state.next, 1);
});

t.test("a save that the device refuses is alarmed and never reported as verified", async (t) => {
  const rig = pushed("OK").run("OK", "REJECTED_POLICY");
  t.same(rig.codes, ["ROTATION_SAVE_REFUSED"]);
  t.equal(rig.state.phase, "PROBE");
});

t.test("many pushes without an answer are alarmed once", async (t) => {
  const rig = new Rig();
  rig.inputs = { ...fit, attemptLimit: 100 };
  rig.rotate().run("OK");
  let alarms = 0;
  for (let at = 0; at < 12; at += 1) {
    alarms += rig.codes.filter((code) => code === "ROTATION_NO_ANSWER").length;
    rig.answer("AMBIGUOUS").run("REJECTED_AUTH", "OK", "OK").tick();
  }
  t.equal(alarms, 1);
});

t.test("adopting, policy changes and acknowledgements never delete a candidate", async (t) => {
  const rig = pushed("AMBIGUOUS");
  rig.inputs = { ...fit, policy: "never" };
  rig.do({ kind: "acknowledged", index: [1, 1] }).do({ kind: "restart" });
  t.same(rig.candidates, [1, 0]);
  t.equal(rig.tick().action, "verify 1", "what may be live is still found out");
});

t.test("the pool takes two values, each once", async (t) => {
  const rig = new Rig();
  t.same(rig.do({ kind: "issued", candidate: value(2) }).codes, [], "the same one again is no news");
  t.same(rig.do({ kind: "issued", candidate: value(3) }).codes, ["ROTATION_POOL_FULL"]);
  rig.rotate().run("OK", "OK");
  t.same(rig.do({ kind: "issued", candidate: value(3) }).codes, ["ROTATION_POOL_FULL"], "a sent one counts");
  rig.run("OK", "OK", "OK").do({ kind: "issued", candidate: value(3) });
  t.same(rig.state.pool, [value(2), value(3)]);
});

t.test("what a person gives is believed after a login, and nothing is dropped", async (t) => {
  const rig = new Rig().do({ kind: "given", candidate: value(9) });
  t.same([rig.state.phase, rig.state.current], ["PROBE", 9]);
  t.same(rig.candidates, [9, 0]);
  t.same(rig.run("OK").reports, ["proven 9"]);
  t.same(rig.state.pool, [value(1), value(2)]);
  t.same(
    new Rig()
      .rotate()
      .tick()
      .do({ kind: "given", candidate: value(9) }).codes,
    ["ROTATION_BUSY"],
  );
  t.same(new Rig().do({ kind: "given", candidate: value(9) }).run("REJECTED_AUTH", "OK").codes, ["ROTATION_REVERTED"]);
});

t.test("after a restored store the budget is spent, the account held, and the pool may be live", async (t) => {
  const rig = new Rig();
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
  const rig = new Rig();
  rig.inputs = { ...fit, policy: "never" };
  t.equal(rig.do({ kind: "verify" }).action, "verify 0");
  t.equal(rig.state.spent, 1);
  t.same(rig.do({ kind: "verify" }).codes, ["ROTATION_BUSY"]);
  t.same(rig.answer("OK").reports, ["proven 0"]);
  t.equal(rig.state.spent, 0);
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
