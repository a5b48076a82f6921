import type { Judge } from "../../protocol/bundle/index.ts";
import { restoredVault } from "./model-vault.ts";
import type { SystemOptions } from "./system-world.ts";

/** A bug of vault, stream or escrow, in the world of vault, medium, edge and device. */
export interface PlantedInVault {
  readonly bug: string;
  readonly world: SystemOptions;
  readonly problem: RegExp;
}

/** Everything above nothing is applied, whatever was applied before. */
const takesAll: Judge = (_receiver, header) =>
  header.direction === 0 ? { verdict: "apply", code: null } : { verdict: "duplicate", code: null };

/** The bugs that only vault and edge together show. */
export const plantedInVault: readonly PlantedInVault[] = [
  { bug: "export before store", world: { values: 1, exportFrom: "memory" }, problem: /lost|forked/ },
  {
    bug: "export before replica",
    world: { values: 1, exportFrom: "stored", vaultFailsOver: true },
    problem: /lost|fork|never issued/,
  },
  { bug: "older bundle accepted", world: { values: 1, judge: takesAll }, problem: /older bundle|does not fit/ },
  {
    bug: "escrow skipped after restore",
    world: {
      values: 1,
      vaultRestored: true,
      restore: (backup) => {
        const vault = restoredVault(backup);
        return { ...vault, ledger: { ...vault.ledger, unsettled: false } };
      },
    },
    problem: /lost/,
  },
  {
    bug: "bundle of the old epoch taken after the escrow",
    world: { values: 1, vaultRestored: true, takesOldEpoch: true },
    problem: /lost/,
  },
  {
    bug: "history purged",
    world: {
      values: 1,
      deviceResets: true,
      afterReport: (vault) => {
        const values = vault.ledger.values.filter(({ status }) => status !== "superseded");
        return { ...vault, ledger: { ...vault.ledger, values } };
      },
    },
    problem: /lost/,
  },
  {
    bug: "new edge with a fresh budget",
    world: { values: 1, edgeDies: true, newEdge: (plant) => ({ ...plant, edge: { ...plant.edge, spent: 0 } }) },
    problem: /locked out/,
  },
];
