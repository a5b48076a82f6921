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
  /** A consistent view for reading; goes on after the writer has stopped. */
  read<T>(work: (view: View) => T): T;
  /** Null while writing works, else the code that stopped it. */
  readonly stopped: "STORE_NO_SPACE" | "STORE_IO" | null;
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
