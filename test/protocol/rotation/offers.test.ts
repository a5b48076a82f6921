import t from "tap";
import { offersOf } from "../../../protocol/rotation/index.ts";
import { value } from "../../model/device-world.ts";
import { fit, MachineRig } from "./machine-rig.ts";

const offered = (current: number, ...pool: readonly number[]) => [
  { index: value(current).index, role: "current" as const },
  ...pool.map((ref) => ({ index: value(ref).index, role: "pool" as const })),
];
const kinds = (rig: MachineRig, values: ReturnType<typeof offered>) => offersOf(rig.state, values).map(({ kind }) => kind);

t.test("an edge whose store is older than a rotation of its own probes what the vault names as current", async (t) => {
  const rig = new MachineRig();
  rig.inputs = { ...fit, attemptLimit: 10 };
  t.same(kinds(rig, offered(0, 1, 2)), ["known", "known", "known"], "nothing went back");
  const values = offered(1, 2, 3);
  t.same(kinds(rig, values), ["restored", "known", "known", "issued"]);
  rig.do({ kind: "restored" });
  t.notOk(kinds(rig, values).includes("restored"), "told once");
  // The device has what the lost rotation set, and is asked for it before what this store takes for current.
  rig.do({ kind: "refill" }).run("REJECTED_AUTH", "REJECTED_AUTH", "OK", "OK", "OK");
  t.same([rig.state.phase, rig.state.current], ["VERIFIED", 1]);
});

t.test("a rotation of its own, however far it is, is no older store", async (t) => {
  const rig = new MachineRig();
  rig.rotate().run("OK");
  t.notOk(kinds(rig, offered(1, 2)).includes("restored"), "sent, and proven by somebody else meanwhile");
});
