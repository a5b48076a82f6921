import t from "tap";
import { isUnsettled } from "../../../protocol/rotation/index.ts";
import { fit, MachineRig, pushed } from "./machine-rig.ts";

/** A push of value 1 of which nothing came, on a device where no candidate logs in any more. */
function unknown(): MachineRig {
  return pushed("AMBIGUOUS").run("REJECTED_AUTH", "REJECTED_AUTH").do({ kind: "refill" }).run("REJECTED_AUTH", "REJECTED_AUTH");
}

/** The device action with who logs in for it. */
function contact({ effects }: MachineRig): string {
  return effects.flatMap((each) => (each.kind === "device" ? [`${each.action} ${each.ref} by ${each.by}`] : [])).join();
}

function restUntilUnknown(rig: MachineRig): MachineRig {
  for (let i = 0; i < 12 && rig.state.phase !== "UNKNOWN"; i += 1) {
    rig.do({ kind: "refill" }).tick();
    if (rig.state.pending !== null) rig.answer("REJECTED_AUTH");
  }
  return rig.do({ kind: "refill" });
}

t.test("another account sets the value that was sent last, and only a login of the account's own proves it", async (t) => {
  const rig = restUntilUnknown(unknown());
  t.equal(rig.state.phase, "UNKNOWN");
  const candidates = rig.candidates;
  rig.do({ kind: "reconcile" });
  t.same([rig.state.phase, rig.state.next, rig.state.reconciling], ["STAGED", 1, true]);
  t.ok(isUnsettled(rig.state));
  t.equal(contact(rig.tick()), "prepare 1 by reconciler");
  t.equal(contact(rig.answer("OK")), "push 1 by reconciler", "nothing is asked of the account's own password");
  t.same(rig.candidates.toSorted(), candidates.toSorted(), "nothing is forgotten, and no further value was issued");
  t.equal(contact(rig.answer("OK").tick()), "verify 1 by account");
  t.notOk(rig.state.reconciling);
  rig.answer("OK").run("OK", "OK");
  t.same([rig.state.phase, rig.state.current], ["VERIFIED", 1]);
  t.same(rig.reports, ["verified 1"]);
});

t.test("where nothing was sent it is the next value of the pool", async (t) => {
  const rig = new MachineRig();
  rig.do({ kind: "verify" }).answer("REJECTED_AUTH");
  restUntilUnknown(rig).do({ kind: "reconcile" });
  t.same([rig.state.phase, rig.state.next], ["STAGED", 1]);
});

t.test("it is refused where it has no place, and given up where the other's login is refused", async (t) => {
  const idle = new MachineRig().do({ kind: "reconcile" });
  t.same(idle.codes, ["ROTATION_NOT_NOW"]);
  const alone = restUntilUnknown(unknown());
  alone.inputs = { ...fit, reconcilable: false };
  t.same(alone.do({ kind: "reconcile" }).codes, ["ROTATION_NO_RECONCILER"]);
  t.equal(alone.state.phase, "UNKNOWN");
  const closed = restUntilUnknown(unknown());
  closed.inputs = { ...fit, windowOpen: false };
  t.same(closed.do({ kind: "reconcile" }).codes, ["ROTATION_WINDOW_CLOSED"]);

  const refused = restUntilUnknown(unknown()).do({ kind: "reconcile" }).tick().answer("REJECTED_AUTH");
  t.same([refused.state.phase, refused.codes], ["UNKNOWN", ["ROTATION_NO_RECONCILER"]]);
  const later = restUntilUnknown(unknown()).do({ kind: "reconcile" }).tick().answer("NOT_SENT");
  t.same([later.state.phase, later.codes], ["STAGED", ["ROTATION_BACK_OFF"]]);
  later.inputs = { ...fit, reconcilable: false };
  t.same(later.tick().codes, ["ROTATION_NO_RECONCILER"], "asked again before anything is sent");
  t.equal(later.do({ kind: "cancel" }).state.phase, "UNKNOWN", "a cancelled one is as unknown as before");
  const crashed = restUntilUnknown(unknown()).do({ kind: "reconcile" }).tick().do({ kind: "restart" });
  t.equal(contact(crashed.tick()), "prepare 1 by reconciler", "a crash before it was sent goes on");
});
