import { LRUCache } from "lru-cache";
import type { Log } from "../agent/log/index.ts";
import type { JoinedNode } from "../agent/node/index.ts";
import type { Store } from "../agent/store/index.ts";
import { fromHex, TidegateError } from "../protocol/base/index.ts";
import { encodeFact } from "../protocol/content/index.ts";
import { personReadsRemembered } from "./limits.ts";

interface PersonReadsOptions {
  readonly store: Store;
  readonly node: Pick<JoinedNode, "queueReport">;
  readonly log: Log;
  /** The id of the account at a path, or null. */
  accountAt(path: string): Uint8Array | null;
}

/** Tells the vault of each version that a person read, once: what follows from it is the vault's to order. */
export class PersonReads {
  readonly #options: PersonReadsOptions;
  readonly #told = new LRUCache<string, true>({ max: personReadsRemembered });

  constructor(options: PersonReadsOptions) {
    this.#options = options;
  }

  /** Notes a read; the reader does not wait for it, and a store that has stopped only loses this wish. */
  note(path: string, version: string, application: string): void {
    const { store, node, log, accountAt } = this.#options;
    const accountId = accountAt(path);
    const applicationId = fromHex(application);
    const [, epoch, number] = /^(\d+)\.(\d+)$/.exec(version) ?? [];
    if (accountId === null || applicationId === null || number === undefined) return;
    const key = `${path} ${version}`;
    if (this.#told.has(key)) return;
    const index = { epoch: Number(epoch), number: Number(number) };
    try {
      store.transaction((tx) => node.queueReport(tx, [encodeFact({ kind: "person-read", accountId, index, applicationId })]));
      this.#told.set(key, true);
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      log.error("person-read.not-told", { error });
    }
  }
}
