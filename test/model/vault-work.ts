import type { Judge } from "../../protocol/bundle/index.ts";
import { hex, type Ingested, type Item, ingested, type VaultState, vaultText, worked } from "./model-vault.ts";

export interface VaultRules {
  readonly judge: Judge;
  /** Values that the vault issues in an epoch. */
  readonly values: number;
  readonly afterReport: ((vault: VaultState) => VaultState) | undefined;
}

/** The vault's transactions, each worked out once: many worlds share one state of the vault. */
export class VaultWork {
  readonly #rules: VaultRules;
  readonly #states = new Map<string, VaultState>();
  readonly #worked = new WeakMap<VaultState, VaultState>();
  readonly #ingested = new WeakMap<VaultState, Map<string, Ingested | null>>();

  constructor(rules: VaultRules) {
    this.#rules = rules;
  }

  /** Issues what is due. */
  work(vault: VaultState): VaultState {
    const known = this.#worked.get(vault) ?? this.one(worked(vault, this.#rules.values, false));
    this.#worked.set(vault, known);
    return known;
  }

  /** Takes a report in; null where nothing comes of it. */
  ingest(vault: VaultState, item: Item): Ingested | null {
    const { judge, values, afterReport } = this.#rules;
    const known = this.#ingested.get(vault) ?? new Map<string, Ingested | null>();
    this.#ingested.set(vault, known);
    const id = hex(item.id);
    let after = known.get(id);
    if (after === undefined) {
      after = ingested(vault, item, judge, values);
      if (after !== null) after = { ...after, state: this.one(afterReport?.(after.state) ?? after.state) };
      known.set(id, after);
    }
    return after;
  }

  /** The one object of all that are equal. */
  one(vault: VaultState): VaultState {
    const text = vaultText(vault);
    const known = this.#states.get(text) ?? vault;
    this.#states.set(text, known);
    return known;
  }
}
