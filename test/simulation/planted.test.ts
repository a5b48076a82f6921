import t from "tap";
import { findBug, plantedBugs } from "./planted.ts";
import { Rig } from "./rig.ts";

/** Bugs that a few seeds find; `npm run simulate -- --planted` looks for all of them. */
const quick = ["export before store", "push before intent", "no save", "history purged"];

t.test("what breaks a promise is found, and a seed plays the same world again", async (t) => {
  const rig = await Rig.build();
  for (const planted of plantedBugs.filter(({ bug }) => quick.some((name) => bug.startsWith(name)))) {
    t.ok(await findBug(rig, planted, 20), `found: ${planted.bug}`);
  }
  // One of them is played in a plant of its own.
  for (const seed of [1, 2, 49]) {
    const [first, second] = [await rig.run(seed), await rig.run(seed, { keepTrace: true })];
    t.equal(first.problem, null);
    t.equal(second.digest, first.digest, `seed ${seed} replays`);
  }
});
