import type { ApplicationRecord } from "../agent/local-api/index.ts";
import type { ContentView } from "../protocol/content/index.ts";

/** Who may read here: applications with a token. Those without one are known by their socket's peer, which a later version asks for. */
export class ApplicationList {
  #current: readonly ApplicationRecord[] = [];

  get current(): readonly ApplicationRecord[] {
    return this.#current;
  }

  /** Takes the applications of the present state. */
  take(view: ContentView): void {
    this.#current = [...view.applications].flatMap(([id, { content }]) =>
      content.disabled || content.tokenHash === null
        ? []
        : [{ id, name: content.name, tokenHash: content.tokenHash, grants: content.grants }],
    );
  }
}
