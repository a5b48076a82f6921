import type { WhenFull } from "../../agent/audit/index.ts";
import type { AuditEvent } from "../../protocol/audit/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import type { VaultLogOptions } from "./vault-log-options.ts";

export interface VaultSpaceOptions extends Pick<VaultLogOptions, "store" | "storage" | "name"> {
  readonly full: WhenFull;
  /** Ms since 1970. */
  readonly nowMs: () => number;
  readonly append: (tx: VaultTransaction, event: AuditEvent) => Promise<void>;
}

/** What the vault's log does as the disk becomes short, and as there is room again. */
export class VaultSpace {
  readonly #options: VaultSpaceOptions;

  constructor(options: VaultSpaceOptions) {
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

  /** Only what must be written is from now on; `alarm` says so in the log. Throws VAULT_STORE_*. */
  async begin(alarm: (tx: VaultTransaction) => Promise<void>): Promise<void> {
    const { store, storage, full, nowMs } = this.#options;
    await store.transaction(async (tx) => {
      await alarm(tx);
      full.begin(nowMs());
      await storage.write(tx).putMark("short", full.encode());
    });
  }

  /** There is room again: before anything else the log says what it lacks, then `alarm` that it is over. Throws VAULT_STORE_*. */
  async end(alarm: (tx: VaultTransaction) => Promise<void>): Promise<void> {
    const { store, storage, full, name, append } = this.#options;
    await store.transaction(async (tx) => {
      for (const gap of full.gaps({ kind: "node", id: name.node })) await append(tx, gap);
      await alarm(tx);
      await storage.write(tx).putMark("short", full.encodeEnd());
    });
    full.end();
  }
}
