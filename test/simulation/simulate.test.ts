import { availableParallelism } from "node:os";
import t from "tap";
import { Rig } from "./rig.ts";
import { runSeeds } from "./run-seeds.ts";
import { Summary } from "./summary.ts";

/** Enough for every fault to happen. */
const seeds = 200;
/** Lines of a trace that a failing test prints: its end, where the problem is. */
const shownLines = 120;

// Busy machines take their time.
t.setTimeout(900_000);

t.test("vault, gateway and edges keep every promise in every world, and every fault happens", async (t) => {
  const summary = new Summary();
  const jobs = Math.min(availableParallelism(), 4);
  await runSeeds({
    from: 0,
    to: seeds,
    jobs,
    take(result) {
      summary.add(result);
      if (result.problem !== null) t.fail(`seed ${result.seed}, ${result.plant}: ${result.problem}`);
    },
  });
  t.equal(summary.seeds, seeds);
  t.same(summary.missed, []);
  t.comment(summary.lines().at(-2));
  const [failed] = summary.failed;
  if (failed === undefined) return;
  const { lines } = await (await Rig.build()).run(failed, { keepTrace: true });
  t.comment(lines?.slice(-shownLines).join("\n"));
});
