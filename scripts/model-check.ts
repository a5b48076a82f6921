// Explores the real transition function of a rotation against every device, network and person that the model knows:
// `node scripts/model-check.ts [--planted]`. Exit code 1 where an invariant is broken, or a planted bug is not found.
import { parseArgs } from "node:util";
import { type Exploration, explore, exploreModel } from "../test/model/explorer.ts";
import { planted } from "../test/model/planted-bugs.ts";
import { plantedInVault } from "../test/model/planted-in-vault.ts";
import type { SystemOptions } from "../test/model/system-world.ts";
import { unreachedReason } from "../test/model/unreached.ts";
import { SystemModel } from "../test/model/vault-world.ts";
import { largeSystems, largeWorlds, smallSystems, smallWorlds } from "../test/model/worlds.ts";

const phases = ["IDLE", "STAGED", "SENT", "PROBE", "NEW-OK", "SAVED", "VERIFIED", "UNKNOWN"];
const outcomes = ["OK", "REJECTED_AUTH", "REJECTED_POLICY", "NOT_SENT", "AMBIGUOUS"];
const wishes = ["tick", "restart", "restored", "issued", "given", "rotate", "verify", "cancel", "refill", "reconcile"];
const pairs = phases.flatMap((phase) =>
  [...wishes, "acknowledged", "hold", "release", "retry", ...outcomes].map((event) => `${phase} ${event}`),
);

const { values } = parseArgs({ options: { planted: { type: "boolean", default: false } } });
process.exitCode = (values.planted ? checkPlanted() : checkWorlds()) ? 0 : 1;

function checkWorlds(): boolean {
  const found = { states: 0, transitions: 0, lost: 0, lockouts: 0, stuck: 0, other: 0, unfinished: 0 };
  const steps = new Set<string>();
  const explorations = [
    ...[...smallSystems, ...largeSystems].map(({ title, options }) => ({ title, run: () => exploreSystem(options) })),
    ...[...smallWorlds, ...largeWorlds].map(({ title, options }) => ({ title, run: () => explore(options) })),
  ];
  for (const { title, run } of explorations) {
    const result = run();
    found.states += result.states;
    found.transitions += result.transitions;
    count(found, result);
    for (const step of result.steps) steps.add(step);
    console.log(
      `${title.padEnd(82)} ${number(result.states)} states ${number(result.transitions)} transitions  ${verdict(result)}`,
    );
    if (result.finding !== null) tell(result.finding.trace);
  }
  const { states, transitions, lost, lockouts, stuck, other, unfinished } = found;
  console.log(
    `\n${states} states, ${transitions} transitions: ${lost} lost, ${lockouts} lockouts, ${stuck} stuck, ${other} other`,
  );
  if (unfinished > 0) console.log(`${unfinished} worlds were not visited whole`);
  const unexplained = tellUnreached(steps);
  return lost + lockouts + stuck + other === 0 && unfinished === 0 && unexplained === 0;
}

function exploreSystem(options: SystemOptions): Exploration {
  return exploreModel(new SystemModel(options), options.maxStates);
}

/** Says of each pair of phase and event that was never reached why; returns how many nobody has a reason for. */
function tellUnreached(steps: ReadonlySet<string>): number {
  const unreached = pairs.filter((pair) => !steps.has(pair));
  const byReason = Map.groupBy(unreached, (pair) => unreachedReason(pair) ?? "NO REASON GIVEN");
  console.log(`${pairs.length - unreached.length} of ${pairs.length} pairs of phase and event reached; not reached:`);
  for (const [reason, those] of byReason) console.log(`    ${those.join(", ")}: ${reason}`);
  return unreached.filter((pair) => unreachedReason(pair) === null).length;
}

function count(
  found: { lost: number; lockouts: number; stuck: number; other: number; unfinished: number },
  { finding, complete }: Exploration,
): void {
  if (finding === null) found.unfinished += complete ? 0 : 1;
  else if (/^lost/.test(finding.problem)) found.lost += 1;
  else if (finding.problem === "locked out") found.lockouts += 1;
  else if (finding.problem === "stuck") found.stuck += 1;
  else found.other += 1;
}

function verdict({ finding, complete }: Exploration): string {
  if (finding !== null) return `BROKEN: ${finding.problem}`;
  return complete ? "ok" : "not visited whole";
}

function checkPlanted(): boolean {
  let missed = 0;
  const all = [
    ...planted.map(({ bug, step, world, problem }) => ({ bug, problem, run: () => explore({ ...world, step }) })),
    ...plantedInVault.map(({ bug, world, problem }) => ({ bug, problem, run: () => exploreSystem(world) })),
  ];
  for (const { bug, problem, run } of all) {
    const { finding, states } = run();
    const caught = finding !== null && problem.test(finding.problem);
    if (!caught) missed += 1;
    console.log(`${caught ? "caught" : "MISSED"}  ${bug}: ${finding?.problem ?? "nothing found"} (${states} states)`);
    tell(finding?.trace ?? []);
  }
  console.log(`\n${all.length - missed} of ${all.length} planted bugs caught`);
  return missed === 0;
}

/** Breadth first, so the first way found is a shortest one. */
function tell(trace: readonly string[]): void {
  for (const [i, step] of trace.entries()) console.log(`    ${String(i + 1).padStart(2)}. ${step}`);
}

function number(value: number): string {
  return String(value).padStart(8);
}
