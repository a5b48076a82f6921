// Runs vault, gateway and edges against simulated clocks, disks, networks, devices and people, one world a seed:
// `node scripts/simulate.ts [--seeds N] [--from S] [--jobs J] [--trace SEED] [--planted]`. Exit code 1 where an invariant is broken, a
// fault never happened, or a planted bug is not found.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { mostSeeds, plantedBugs } from "../test/simulation/planted.ts";
import { Rig } from "../test/simulation/rig.ts";
import type { SeedResult } from "../test/simulation/run-seed.ts";
import { huntBugs, runSeeds } from "../test/simulation/run-seeds.ts";
import { Summary } from "../test/simulation/summary.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "0" },
    jobs: { type: "string", default: String(Math.min(availableParallelism(), 16)) },
    trace: { type: "string" },
    planted: { type: "boolean", default: false },
  },
});
const [seeds, from, jobs] = [values.seeds, values.from, values.jobs].map(Number);
if (values.trace !== undefined) process.exitCode = (await showTrace(Number(values.trace))) ? 0 : 1;
else if (values.planted) process.exitCode = (await findAll()) ? 0 : 1;
else process.exitCode = (await runAll()) ? 0 : 1;

async function runAll(): Promise<boolean> {
  const summary = new Summary();
  const [first = 0, count = 0, threads = 1] = [from, seeds, jobs];
  const take = (result: SeedResult) => {
    summary.add(result);
    if (result.problem !== null) console.log(`seed ${result.seed}, ${result.plant}: ${result.problem}`);
    if (summary.seeds % 500 === 0) console.log(`${summary.seeds} of ${count} seeds, ${summary.seedsPerSecond} a second`);
  };
  await runSeeds({ from: first, to: first + count, jobs: threads, take });
  for (const line of summary.lines()) console.log(line);
  const [failed] = summary.failed;
  if (failed !== undefined) {
    console.log(`\nthe trace of seed ${failed}:`);
    await showTrace(failed);
  }
  return summary.good(count);
}

/** Looks for every planted bug. */
async function findAll(): Promise<boolean> {
  let found = 0;
  await huntBugs(jobs ?? 1, (hunt) => {
    if (hunt.found !== null) found += 1;
    const says =
      hunt.found === null
        ? `MISSED in ${mostSeeds} seeds`
        : `seed ${String(hunt.found.seed).padStart(4)}  ${hunt.found.problem.split("\n")[0]}`;
    console.log(`${hunt.bug.padEnd(72)}  ${says}`);
  });
  console.log(`\n${found} of ${plantedBugs.length} planted bugs found`);
  return found === plantedBugs.length;
}

/** Plays one seed and prints everything that happened; false where something broke. */
async function showTrace(seed: number): Promise<boolean> {
  const rig = await Rig.build();
  const { lines, problem, plant, steps, digest } = await rig.run(seed, { keepTrace: true });
  for (const [i, line] of (lines ?? []).entries()) console.log(`${String(i + 1).padStart(5)}  ${line}`);
  console.log(`seed ${seed}, ${plant}: ${steps} steps, ${problem ?? "everything held"}\ntrace ${digest}`);
  return problem === null;
}
