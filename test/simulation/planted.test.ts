import t from "tap";
import { findBug, plantedBugs } from "./planted.ts";
import { Rig } from "./rig.ts";
import { playSeeds } from "./test-seeds.ts";

/** Bugs that a few seeds find; `npm run simulate -- --planted` looks for all of them. */
const quick = ["export before store", "push before intent", "no save", "history purged"];

t.test("what breaks a promise is found, and what keeps them all is not", async (t) => {
  const rig = await Rig.build();
  await playSeeds(t, rig, { from: 100, to: 200 });
  for (const planted of plantedBugs.filter(({ bug }) => quick.some((name) => bug.startsWith(name)))) {
    t.ok(await findBug(rig, planted, 20), `found: ${planted.bug}`);
  }
});
