import type { Test } from "tap";
import type { Rig } from "./rig.ts";
import { Summary } from "./summary.ts";

/** Lines of a trace that a failing test prints: its end, where the problem is. */
const shownLines = 120;

/** Plays the seeds from `from` on, below `to`; where one breaks something its trace is told. */
export async function playSeeds(
  t: Test,
  rig: Rig,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  const summary = new Summary();
  for (let seed = from; seed < to; seed += 1) {
    const result = await rig.run(seed);
    summary.add(result);
    if (result.problem === null) continue;
    t.fail(`seed ${seed}, ${result.plant}: ${result.problem}`);
    const { lines } = await rig.run(seed, { keepTrace: true });
    t.comment(lines?.slice(-shownLines).join("\n"));
  }
  t.equal(summary.seeds, to - from);
  t.comment(summary.lines().slice(-2).join("\n"));
}
