import t from "tap";
import { decodeRotation, encodeRotation } from "../../../protocol/rotation/index.ts";
import { maxCandidates, maxHistory } from "../../../protocol/rotation/limits.ts";
import { value } from "../../model/device-world.ts";
import { MachineRig } from "./machine-rig.ts";

const given = (ref: number) => ({ kind: "given", candidate: value(ref) }) as const;

t.test("candidates up to the limit stay; the oldest beyond it goes to history, never the current one", async (t) => {
  for (const [count, inHistory] of [
    [maxCandidates - 1, []],
    [maxCandidates, []],
    [maxCandidates + 1, [0]],
  ] as const) {
    const rig = new MachineRig();
    rig.state = { ...rig.state, pool: [] };
    for (let ref = 1; ref < count; ref += 1) rig.do(given(ref));
    t.same(
      rig.state.history.map(({ ref }) => ref),
      inHistory,
    );
    t.equal(rig.candidates.length, Math.min(count, maxCandidates));
    t.equal(rig.state.current, count - 1);
  }
});

t.test("history stops at its limit, so that the next start can read the record", async (t) => {
  const rig = new MachineRig();
  for (const held of [maxHistory - 2, maxHistory - 1, maxHistory]) {
    const history = Array.from({ length: held }, (_, i) => value(100_000 + i));
    const { state } = new MachineRig().rotate();
    rig.state = { ...state, history };
    rig.run("OK", "OK", "OK", "OK", "OK");
    t.equal(rig.state.phase, "VERIFIED");
    t.equal(rig.state.history.length, Math.min(held + 1, maxHistory));
    t.equal(rig.state.history[0]?.ref, 0, "the newest are kept");
    t.same(decodeRotation(encodeRotation(rig.state)), rig.state);
  }
});
