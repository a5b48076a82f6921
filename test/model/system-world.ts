import type { Judge } from "../../protocol/bundle/index.ts";
import type { Step, World } from "./device-world.ts";
import type { EdgeLink } from "./model-edge.ts";
import type { Item, VaultState } from "./model-vault.ts";

/** What is explored of vault, medium, edge and device together; the rules are the real ones unless a planted bug breaks one. */
export interface SystemOptions {
  readonly step?: Step;
  readonly judge?: Judge;
  /** Values that the vault issues in an epoch. */
  readonly values?: number;
  /** Which of the vault's states bundles leave from: real is `replica`, what was stored and copied. */
  readonly exportFrom?: "memory" | "stored" | "replica";
  /** What a restored store is turned into. */
  readonly restore?: (backup: VaultState) => VaultState;
  /** What becomes of the vault's state with each report. */
  readonly afterReport?: (vault: VaultState) => VaultState;
  /** Changes that a planted bug makes to a new edge's account. */
  readonly newEdge?: (plant: World) => World;
  /** The edge goes on taking bundles of the old epoch after the root that raised it. */
  readonly takesOldEpoch?: boolean;
  readonly edgeDies?: boolean;
  readonly vaultFailsOver?: boolean;
  readonly vaultRestored?: boolean;
  readonly deviceResets?: boolean;
  /** Late and doubled changes too. */
  readonly late?: boolean;
  readonly maxStates?: number;
}

/** Everything that the next move of vault, medium, edge, device or a person depends on. */
export interface SystemWorld {
  readonly plant: World;
  /** The vault's transaction under way, its store, and the copy of its store. */
  readonly memory: VaultState;
  readonly stored: VaultState;
  readonly replica: VaultState;
  /** Every bundle that ever left for this edge: the medium loses, doubles, reorders and replays. */
  readonly medium: readonly Item[];
  readonly link: EdgeLink;
  /** Which edge it is: the first, or the one in its place. */
  readonly edge: number;
  readonly failedOver: boolean;
  readonly restored: boolean;
}
