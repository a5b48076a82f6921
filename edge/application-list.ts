import { type ApplicationRecord, applicationRecords } from "../agent/local-api/index.ts";
import { type ContentView, FreshnessRules } from "../protocol/content/index.ts";

/** Who may read here, and how long without the vault: applications with a token, and the vault's rules. Those without one are known by their socket's peer, which a later version asks for. */
export class ApplicationList {
  #current: readonly ApplicationRecord[] = [];
  #freshness = new FreshnessRules([]);

  get current(): readonly ApplicationRecord[] {
    return this.#current;
  }

  get freshness(): FreshnessRules {
    return this.#freshness;
  }

  /** Takes the applications and rules of the present state. */
  take(view: ContentView): void {
    this.#current = applicationRecords(view);
    this.#freshness = new FreshnessRules([...view.freshness.values()].map(({ content }) => content));
  }
}
