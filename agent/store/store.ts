/**
 * What an edge or a gateway keeps on disk: named tables of rows, each an id and sealed bytes. Synchronous, one handle a process.
 * Two implementations: node:sqlite here, memory with faults in the simulation.
 */
export interface Store {
  /**
   * Runs `work` in one transaction: all of it is durable when this returns, or none of it happened.
   * Throws STORE_NO_SPACE or STORE_IO, after which every later transaction throws STORE_STOPPED until the process restarts;
   * what `work` throws rolls back and is thrown on. `work` must not await. Not reentrant.
   */
  transaction<T>(work: (tx: Transaction) => T): T;
  /**
   * Runs `work`, whose transactions share one commit: all of them are durable when this returns, and none is before. One that throws is rolled
   * back alone, and what `work` itself throws comes after the commit. Throws as a transaction does where the commit fails, after which none of them, or only some, happened. Inside of itself it only runs `work`.
   */
  together(work: () => void): void;
  /**
   * {@link transaction} for what may be lost in a crash for the moment that a sync takes: committed and seen when this returns, in the
   * order of all commits, and durable when the promise resolves, with every commit before it. Throws as a transaction does. Rejects
   * with STORE_NO_SPACE or STORE_IO where the sync fails: the writer has stopped. `work` may erase no key.
   */
  transactionSyncedLater(work: (tx: Transaction) => void): Promise<void>;
  /** Waits until every commit is durable. Throws as a transaction does. */
  sync(): void;
  /** A consistent view for reading; goes on after the writer has stopped. */
  read<T>(work: (view: View) => T): T;
  /** Null while writing works, else the code that stopped it. */
  readonly stopped: "STORE_NO_SPACE" | "STORE_IO" | null;
  /** Syncs, then ends; throws as a transaction does where the sync fails, and has ended then too. */
  close(): void;
}

export interface View {
  /** The row's plain bytes, or null where there is none. Throws STORE_DAMAGED where it does not unseal. */
  get(table: string, id: Uint8Array): Uint8Array | null;
  /** Rows by ascending id, from `from` (inclusive) on, at most `limit`; `reverse` turns the order and `from` is then the highest. */
  scan(table: string, options: ScanOptions): Row[];
  count(table: string): number;
}

export interface Transaction extends View {
  put(table: string, id: Uint8Array, value: Uint8Array): void;
  /** True where the row existed. */
  delete(table: string, id: Uint8Array): boolean;
}

export interface ScanOptions {
  readonly from?: Uint8Array;
  /** Only ids that begin so. */
  readonly prefix?: Uint8Array;
  readonly limit: number;
  readonly reverse?: boolean;
}

export interface Row {
  readonly id: Uint8Array;
  readonly value: Uint8Array;
}
