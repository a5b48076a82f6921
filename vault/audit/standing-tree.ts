import { type AsyncAuditStorage, loadTreeLater, TreeCache } from "../../agent/audit/index.ts";
import type { AuditRows, TreeState } from "../../protocol/audit/index.ts";
import type { VaultTransaction } from "../store/index.ts";

/** The log's tree in each transaction: read from the store once, and followed by what the transaction itself appends. */
export class StandingTree {
  readonly #storage: AsyncAuditStorage<VaultTransaction, VaultTransaction>;
  readonly #cache = new TreeCache();
  readonly #within = new WeakMap<VaultTransaction, TreeState>();

  constructor(storage: AsyncAuditStorage<VaultTransaction, VaultTransaction>) {
    this.#storage = storage;
  }

  /** The tree with this transaction's leaves. Throws AUDIT_STATE_MALFORMED where leaves, tiles and stored peaks do not fit. */
  async read(tx: VaultTransaction): Promise<TreeState> {
    const known = this.#within.get(tx);
    if (known !== undefined) return known;
    const tree = await loadTreeLater(this.#storage.read(tx), this.#cache);
    this.#within.set(tx, tree);
    return tree;
  }

  /** The transaction has appended these rows. */
  appended(tx: VaultTransaction, { state }: AuditRows, tree: TreeState): void {
    this.#cache.add(state, tree);
    this.#within.set(tx, tree);
  }
}
