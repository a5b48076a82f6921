import t from "tap";
import { findBug, plantedBugs } from "./planted.ts";
import { Rig } from "./rig.ts";
import { Summary } from "./summary.ts";

/** Seeds of a run of the tests. */
const seeds = 60;
/** Bugs that a few seeds find; `npm run simulate -- --planted` looks for all of them. */
const quick = ["export before store", "push before intent", "no save", "history purged"];

t.test("vault, gateway and edges keep every promise in every world, and a seed plays the same world again", async (t) => {
  const rig = await Rig.build();
  const summary = new Summary();
  for (let seed = 0; seed < seeds; seed += 1) {
    const result = await rig.run(seed);
    summary.add(result);
    t.equal(result.problem, null, `seed ${seed}, ${result.plant}`);
  }
  for (const seed of [1, 2, 3]) {
    const [first, second] = [await rig.run(seed), await rig.run(seed, { keepTrace: true })];
    t.equal(second.digest, first.digest, `seed ${seed} replays`);
  }
  t.comment(summary.lines().join("\n"));
  for (const planted of plantedBugs.filter(({ bug }) => quick.some((name) => bug.startsWith(name)))) {
    t.ok(await findBug(rig, planted, 20), `found: ${planted.bug}`);
  }
});
