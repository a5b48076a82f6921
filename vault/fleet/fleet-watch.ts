import type { Log } from "../../agent/log/index.ts";
import type { Timers } from "../../agent/seams/index.ts";
import { exportNodes, registryOf, type VaultCore } from "../streams/index.ts";
import { advanceFleets } from "./advance.ts";
import { lookEveryMs } from "./limits.ts";

/** Looks now and then whether an order of a fleet rotation has run out, which no report tells. */
export class FleetWatch {
  readonly #options: { core: VaultCore; timers: Timers; log: Log; wake(nodeIds: readonly Uint8Array[]): void };
  #cancel: () => void;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: { core: VaultCore; timers: Timers; log: Log; wake(nodeIds: readonly Uint8Array[]): void }) {
    this.#options = options;
    this.#cancel = this.#later();
  }

  /** Waits for a look under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#looking;
  }

  #later(): () => void {
    return this.#options.timers.after(lookEveryMs, () => {
      this.#looking = this.#look();
    });
  }

  async #look(): Promise<void> {
    const { core, log, wake } = this.#options;
    try {
      const running = await core.store.read((tx) =>
        tx.selectFrom("fleet_runs").select("run_id").where("state", "=", "running").executeTakeFirst(),
      );
      if (running !== undefined) wake(await advanceOnce(core));
    } catch (error) {
      log.warn("fleet.look-failed", { error });
    }
    if (!this.#closed) this.#cancel = this.#later();
  }
}

/** Ids of the nodes that have something new to fetch. */
function advanceOnce(core: VaultCore): Promise<Uint8Array[]> {
  return core.store.transaction(async (tx) => {
    const zones = await advanceFleets(await registryOf(core, tx), tx);
    return zones.size === 0 ? [] : exportNodes(core, tx, { zone: null, accounts: [] });
  });
}
