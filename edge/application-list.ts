import { type ApplicationRecord, applicationRecords } from "../agent/local-api/index.ts";
import type { ContentView } from "../protocol/content/index.ts";

/** Who may read here: applications with a token. Those without one are known by their socket's peer, which a later version asks for. */
export class ApplicationList {
  #current: readonly ApplicationRecord[] = [];

  get current(): readonly ApplicationRecord[] {
    return this.#current;
  }

  /** Takes the applications of the present state. */
  take(view: ContentView): void {
    this.#current = applicationRecords(view);
  }
}
