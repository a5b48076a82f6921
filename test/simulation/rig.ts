import { buildPlant, type Foundation, layFoundation } from "./build-plant.ts";
import { plans } from "./plants.ts";
import { runSeed, type SeedOptions, type SeedResult } from "./run-seed.ts";
import type { PlantImage } from "./world.ts";

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
    const foundation = await layFoundation();
    const plants: PlantImage[] = [];
    for (const plan of plans) plants.push(await buildPlant(foundation, plan));
    return new Rig(foundation, plants);
  }

  run(seed: number, options: Pick<SeedOptions, "keepTrace" | "plant"> = {}): Promise<SeedResult> {
    return runSeed(seed, { foundation: this.#foundation, plants: this.#plants, ...options });
  }
}
