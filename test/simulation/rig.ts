import { buildPlant, type Foundation, layFoundation } from "./build-plant.ts";
import { Dice } from "./dice.ts";
import { plans } from "./plants.ts";
import { rememberCrypto } from "./remembered-crypto.ts";
import { runSeed, type SeedOptions, type SeedResult } from "./run-seed.ts";
import type { PlantImage } from "./world.ts";

/** One seed in so many plays in a plant of its own, in which every node joins with other keys and other random numbers. */
const anewEvery = 50;

/** The plants of this process of the operating system, built once, and the seeds that play in them. */
export class Rig {
  readonly #foundation: Foundation;
  readonly #plants: readonly PlantImage[];

  private constructor(foundation: Foundation, plants: readonly PlantImage[]) {
    this.#foundation = foundation;
    this.#plants = plants;
  }

  /** Makes a vault and builds every plant. */
  static async build(): Promise<Rig> {
    rememberCrypto();
    const foundation = await layFoundation();
    const plants: PlantImage[] = [];
    for (const plan of plans) plants.push(await buildPlant(foundation, plan));
    return new Rig(foundation, plants);
  }

  async run(seed: number, options: Pick<SeedOptions, "keepTrace" | "plant"> = {}): Promise<SeedResult> {
    const foundation = this.#foundation;
    if (seed % anewEvery !== anewEvery - 1) return runSeed(seed, { foundation, plants: this.#plants, ...options });
    const plan = new Dice(`plant ${seed}`).pick(plans);
    const plants = [await buildPlant(foundation, plan, `plant ${seed}`)];
    const result = await runSeed(seed, { foundation, plants, ...options });
    return { ...result, fired: new Map([...result.fired, ["plant: built anew", 1]]) };
  }
}
