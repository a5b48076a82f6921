import t from "tap";
import { Rig } from "./rig.ts";
import { playSeeds } from "./test-seeds.ts";

t.test("vault, gateway and edges keep every promise in every world, and a seed plays the same world again", async (t) => {
  const rig = await Rig.build();
  await playSeeds(t, rig, { from: 0, to: 100 });
  for (const seed of [1, 2, 3]) {
    const [first, second] = [await rig.run(seed), await rig.run(seed, { keepTrace: true })];
    t.equal(second.digest, first.digest, `seed ${seed} replays`);
  }
});
