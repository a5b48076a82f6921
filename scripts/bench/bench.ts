import { Plant } from "./plant.ts";

/** What rows share: made at the first use, ended with the run. */
export class Bench {
  #plant: Promise<Plant> | null = null;

  /** An edge's data folder with 1,000 credentials, no node running. */
  plant(): Promise<Plant> {
    this.#plant ??= Plant.prepare();
    return this.#plant;
  }

  /** Ends what still runs and removes what was written. Idempotent. */
  async close(): Promise<void> {
    const plant = this.#plant;
    this.#plant = null;
    if (plant !== null) await (await plant.catch(() => null))?.close();
  }
}
