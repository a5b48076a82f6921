import { Secret } from "../../protocol/base/index.ts";
import { ColumnSeal } from "../../vault/master-key/index.ts";
import { comesToRest, unfinished } from "./at-rest.ts";
import { auditProblems } from "./audit-logs.ts";
import type { Foundation } from "./build-plant.ts";
import { Dice } from "./dice.ts";
import { Faults } from "./faults.ts";
import { type Focus, focusOf, type Sideshow, sideshowOf } from "./focus.ts";
import { deviceAccount, Invariants } from "./invariants.ts";
import { People } from "./people.ts";
import { Stage } from "./stage.ts";
import { VaultEyes } from "./vault-eyes.ts";
import { settled } from "./virtual-time.ts";
import { type PlantImage, World } from "./world.ts";

/** How one seed went. */
export interface SeedResult {
  readonly seed: number;
  readonly plant: string;
  /** Null where everything held. */
  readonly problem: string | null;
  /** Steps of the world. */
  readonly steps: number;
  /** Virtual milliseconds. */
  readonly virtualMs: number;
  readonly digest: string;
  readonly fired: ReadonlyMap<string, number>;
  /** The trace, where it was kept. */
  readonly lines: readonly string[] | null;
}

export interface SeedOptions {
  readonly foundation: Foundation;
  readonly plants: readonly PlantImage[];
  readonly keepTrace?: boolean;
  /** Breaks something in the world before it starts. */
  readonly plant?: (world: World) => void;
}

/**
 * After so much virtual time without a fault everything must agree. A device of unknown lockout is asked twice an hour: it takes eight
 * hours until two rounds of its candidates were refused and somebody looks for the live one.
 */
const restMs = { usual: 4 * 3_600_000, unknownLockout: 12 * 3_600_000 } as const;
/** How often people look at what does not move. */
const lookMs = 300_000;

/** Runs the world of one seed: faults and people for a minute or two, then peace, in which everything has to come to rest. */
export async function runSeed(seed: number, options: SeedOptions): Promise<SeedResult> {
  const { foundation, plants, keepTrace = false, plant } = options;
  const { vaultDisk, masterKey } = foundation;
  const dice = new Dice(`seed ${seed}`);
  const image = dice.pick(plants);
  vaultDisk.begin(image.vault);
  const world = new World({ seed: `world ${seed}`, vaultDisk, masterKey, plan: image.plan, image, keepTrace });
  const seal = new ColumnSeal(
    masterKey.use((bytes) => new Secret(bytes)),
    world.dice.fork("eyes").bytes,
  );
  const invariants = new Invariants(world, new VaultEyes(vaultDisk, seal));
  let steps = 0;
  world.afterStep = () => {
    steps += 1;
    invariants.check();
  };
  const bugs = new Bugs(world);
  try {
    plant?.(world);
    await play(world, invariants, { dice, focus: focusOf(seed, dice.fork("focus")), sideshow: sideshowOf(seed) });
  } catch (error) {
    world.problem(`threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  } finally {
    for (const machine of [world.vault, world.gateway, ...world.edges]) {
      world.onDeath = () => {};
      world.kill(machine, "at once");
    }
    await settled();
    bugs.close();
  }
  return {
    seed,
    plant: image.plan.name,
    problem: world.problems[0] ?? null,
    steps,
    virtualMs: world.time.now - image.now,
    digest: world.trace.digest(),
    fired: world.fired,
    lines: world.trace.lines,
  };
}

async function play(
  world: World,
  invariants: Invariants,
  { dice, focus, sideshow }: { readonly dice: Dice; readonly focus: Focus | null; readonly sideshow: Sideshow },
): Promise<void> {
  const faults = new Faults(world, invariants);
  const people = new People(world, invariants);
  const stage = new Stage({ world, people, faults, invariants });
  world.startVault();
  world.startGateway();
  for (const edge of world.edges) world.startEdge(edge);
  await settled();
  invariants.check();
  faults.begin();
  const end = world.time.now + dice.between(40_000, 150_000);
  // Few things that meet: many worlds show more than long ones, and what breaks is read sooner.
  const path = people.someRotated();
  const begin = dice.between(3_000, 20_000);
  if (focus !== null) world.time.after(begin, () => stage.begin(focus, path));
  world.time.after(begin + dice.between(-3_000, 20_000), () => people.act(path, sideshow.act));
  world.time.after(begin + dice.between(0, 20_000), () => faults.happen(path, sideshow));
  for (let left = focus === null ? dice.between(1, 2) : dice.between(0, 1); left > 0; left -= 1) {
    const path = people.somePath();
    const act = dice.between(0, end - world.time.now - 20_000);
    world.time.after(act, () => people.act(path));
    // Most things go wrong at the worst of moments.
    for (let troubles = dice.between(0, 2); troubles > 0; troubles -= 1) {
      const at = dice.chance(0.8) ? act + dice.between(-10_000, 5_000) : dice.between(0, end - world.time.now);
      world.time.after(at, () => faults.happen(path));
    }
  }
  while (world.problems.length === 0 && (await world.step(end)));
  world.note("world", "peace");
  faults.end();
  await rest(world, invariants, people);
}

/** Waits until everybody agrees, with people who see to what only a person can: a device that went back is noticed at its next login. */
async function rest(world: World, invariants: Invariants, people: People): Promise<void> {
  const isUnknown = world.plan.devices.some(({ kind }) => kind.tries === "unknown");
  const until = world.time.now + (isUnknown ? restMs.unknownLockout : restMs.usual);
  let missing: string[] = [];
  while (world.time.now < until && world.problems.length === 0) {
    people.tellAll();
    people.seeToIt();
    await settled();
    missing = await comesToRest(world, Math.min(until, world.time.now + lookMs));
    if (missing.length > 0) continue;
    const odd = invariants.disagreements();
    if (odd.length === 0) return agree(world);
    missing = odd.map((path) => `${path} is another at its device`);
    people.prove(odd);
    await settled();
    // Whoever refuses to prove it now may be started again only later: nothing is missing, so else no time would pass.
    const next = Math.min(until, world.time.now + 2_000);
    while (await world.step(next));
  }
  if (world.problems.length === 0) world.problem(`stuck: ${missing.join("; ")}`);
}

/** Everything is at rest: what the vault believes is what is so. */
function agree(world: World): void {
  for (const problem of auditProblems(world)) world.problem(problem);
  const rows = world.vaultDisk.all<{ path: string }>("select path from accounts order by path");
  for (const { path } of rows) {
    const account = deviceAccount(world, path);
    if (account !== null && account.live !== account.saved) world.problem(`${path} was not kept by its device`);
  }
  const odd = world.vaultDisk.all<{ name: string; state: string }>("select name, state from nodes where state <> 'active'");
  for (const { name, state } of odd) world.problem(`${name} is ${state}`);
  for (const missing of unfinished(world)) world.problem(missing);
}

/** What nobody waits for and nobody catches: in real life it would end the process. */
class Bugs {
  readonly #listener: (error: unknown) => void;

  constructor(world: World) {
    this.#listener = (error) => {
      world.problem(`not caught: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    };
    process.on("unhandledRejection", this.#listener);
  }

  close(): void {
    process.off("unhandledRejection", this.#listener);
  }
}
