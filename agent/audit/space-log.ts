import type { AuditEvent } from "../../protocol/audit/index.ts";
import type { Store, Transaction, View } from "../store/index.ts";
import type { AuditStorage } from "./storage.ts";
import type { WhenFull } from "./when-full.ts";

export interface SpaceLogOptions {
  readonly store: Store;
  readonly storage: AuditStorage<View, Transaction>;
  readonly full: WhenFull;
  /** Names the node. */
  readonly self: { readonly kind: "node"; readonly id: string };
  /** Lower end of the node's time, ms since 1970. */
  readonly nowMs: () => number;
  /** Writes down the reads that wait for it. */
  readonly commitReads: () => void;
  readonly append: (tx: Transaction, events: readonly AuditEvent[]) => void;
}

/** What a log does as the disk becomes short, and as there is room again. */
export class SpaceLog {
  readonly #options: SpaceLogOptions;

  constructor(options: SpaceLogOptions) {
    this.#options = options;
  }

  /** True while only what must be written is. */
  get short(): boolean {
    return this.#options.full.short;
  }

  /** Leaves that were not written and that no gap leaf stands for yet. */
  get dropped(): number {
    return this.#options.full.dropped;
  }

  /** Throws AUDIT_FULL where a read must be refused because it cannot be logged. */
  admitRead(): void {
    this.#options.full.refuse("reads");
  }

  /** Only what must be written is from now on; `alarm` says so in the log. Throws STORE_*. */
  begin(alarm: (tx: Transaction) => void): void {
    const { store, storage, full, nowMs, commitReads } = this.#options;
    commitReads();
    store.transaction((tx) => {
      alarm(tx);
      full.begin(nowMs());
      storage.write(tx).putMark("short", full.encode());
    });
  }

  /** There is room again: before anything else the log says what it lacks, then `alarm` that it is over. Throws STORE_*. */
  end(alarm: (tx: Transaction) => void): void {
    const { store, storage, full, self, append } = this.#options;
    store.transaction((tx) => {
      append(tx, full.gaps(self));
      alarm(tx);
      storage.write(tx).putMark("short", full.encodeEnd());
    });
    full.end();
  }
}
