import type { Entry } from "../../protocol/bundle/index.ts";
import { type ContentView, entryType, FreshnessRules, viewContent } from "../../protocol/content/index.ts";
import { applicationRecords } from "./application-records.ts";
import type { ApplicationRecord } from "./contracts.ts";

/** What says who may read, and for how long. */
export const applicationTypes = [entryType.application, entryType.lease, entryType.freshness, entryType.tombstone] as const;

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

  /** Reads the applications and rules alone, which are few beside the values. */
  read(node: { entriesOfType(type: number): Entry[] }): void {
    this.take(viewContent(applicationTypes.flatMap((type) => node.entriesOfType(type))));
  }

  /** Takes the applications and rules of the present state. */
  take(view: ContentView): void {
    this.#current = applicationRecords(view);
    this.#freshness = new FreshnessRules([...view.freshness.values()].map(({ content }) => content));
  }
}
