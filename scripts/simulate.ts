// Runs vault, gateway and edges against simulated clocks, disks, networks, devices and people, one world a seed:
// `node scripts/simulate.ts [--seeds N] [--from S] [--jobs J] [--trace SEED] [--planted]`. Exit code 1 where an invariant is broken, a
// fault never happened, or a planted bug is not found.
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { findBug, mostSeeds, plantedBugs } from "../test/simulation/planted.ts";
import { Rig } from "../test/simulation/rig.ts";
import type { SeedResult } from "../test/simulation/run-seed.ts";
import { Summary } from "../test/simulation/summary.ts";
import type { WorkerShare } from "../test/simulation/worker.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "0" },
    jobs: { type: "string", default: "1" },
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
  const [first = 0, count = 0, stride = 1] = [from, seeds, jobs];
  const take = (result: SeedResult) => {
    summary.add(result);
    if (result.problem !== null) console.log(`seed ${result.seed}, ${result.plant}: ${result.problem}`);
    if (summary.seeds % 500 === 0) console.log(`${summary.seeds} of ${count} seeds, ${summary.seedsPerSecond} a second`);
  };
  const shares = Array.from({ length: stride }, (_, i) => ({ from: first + i, to: first + count, stride }));
  await Promise.all(shares.map((share) => work(share, take)));
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
  const rig = await Rig.build();
  let missed = 0;
  for (const planted of plantedBugs) {
    const found = await findBug(rig, planted, mostSeeds);
    if (found === null) missed += 1;
    const says =
      found === null
        ? `MISSED in ${mostSeeds} seeds`
        : `seed ${String(found.seed).padStart(4)}  ${found.problem.split("\n")[0]}`;
    console.log(`${planted.bug.padEnd(72)}  ${says}`);
  }
  console.log(`\n${plantedBugs.length - missed} of ${plantedBugs.length} planted bugs found`);
  return missed === 0;
}

function work(share: WorkerShare, take: (result: SeedResult) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("../test/simulation/worker.ts", import.meta.url), { workerData: share });
    worker.on("message", take);
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
}

/** Plays one seed and prints everything that happened; false where something broke. */
async function showTrace(seed: number): Promise<boolean> {
  const rig = await Rig.build();
  const { lines, problem, plant, steps, digest } = await rig.run(seed, { keepTrace: true });
  for (const [i, line] of (lines ?? []).entries()) console.log(`${String(i + 1).padStart(5)}  ${line}`);
  console.log(`seed ${seed}, ${plant}: ${steps} steps, ${problem ?? "everything held"}\ntrace ${digest}`);
  return problem === null;
}
