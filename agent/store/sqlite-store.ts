import type { DatabaseSync } from "node:sqlite";
import {
  asBytes,
  assert,
  asTuple,
  asUint,
  decodeTcbor,
  encodeTcbor,
  fromHex,
  type Random,
  type Secret,
} from "../../protocol/base/index.ts";
import type { Failpoint } from "../seams/index.ts";
import { openDatabase, prepareStatements, type Statements } from "./database.ts";
import { isStorageFault, StoreError, storeErrorOf } from "./errors.ts";
import { HighWaterMark } from "./high-water-mark.ts";
import { RowSeal, RowSum } from "./row-seal.ts";
import type { Row, ScanOptions, Store, Transaction, View } from "./store.ts";

export interface StoreOptions {
  /** The database file; made with mode 0600 where it is missing. */
  readonly path: string;
  /** The high-water mark's file, kept apart from the database. */
  readonly markPath: string;
  /** The store key, 32 bytes; stays the caller's and must outlive the store. */
  readonly key: Secret;
  readonly random: Random;
  /** Names `store.before-commit` and `store.after-commit`. */
  readonly failpoint: Failpoint;
  /** Tables of keys: where a row of one is replaced or deleted, the journal is truncated so that no old copy stays. */
  readonly erasing?: readonly string[];
}

/**
 * Opens the sealed store, alone: throws STORE_LOCKED where another process has it, STORE_ROLLED_BACK where it is older than its
 * mark, STORE_DAMAGED where rows were taken, added or put back, or the key is another store's.
 */
export function openStore(options: StoreOptions): Store {
  try {
    return new SqliteStore(options);
  } catch (error) {
    throw isStorageFault(error) ? storeErrorOf(error) : error;
  }
}

interface SealedRow {
  readonly id: Uint8Array;
  readonly version: number;
  readonly sealed: Uint8Array;
}

/** The row that holds the generation and the sum; not a row of any table, so no caller reaches it. */
const metaTable = "";
const metaId = new Uint8Array(0);

class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #seal: RowSeal;
  readonly #sum: RowSum;
  readonly #mark: HighWaterMark;
  readonly #options: StoreOptions;
  #generation: number;
  #stopped: Store["stopped"] = null;
  #inTransaction = false;
  #erased = false;
  #closed = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#seal = new RowSeal(options.key, options.random);
    this.#sum = new RowSum(this.#seal.derive("row sum"));
    this.#database = openDatabase(options.path);
    try {
      this.#statements = prepareStatements(this.#database);
      const meta = this.#readMeta();
      this.#generation = meta.generation;
      this.#verifyRows(meta.sum);
      this.#mark = new HighWaterMark(options.markPath, this.#seal.derive("high-water mark"));
    } catch (error) {
      this.#database.close();
      throw error;
    }
    try {
      this.#verifyMark();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get stopped(): Store["stopped"] {
    return this.#stopped;
  }

  read<T>(work: (view: View) => T): T {
    try {
      return work(this.#view());
    } catch (error) {
      throw isStorageFault(error) ? storeErrorOf(error) : error;
    }
  }

  transaction<T>(work: (tx: Transaction) => T): T {
    assert(!this.#inTransaction, "a transaction inside a transaction");
    if (this.#stopped !== null) {
      throw new StoreError("STORE_STOPPED", `the store stopped writing (${this.#stopped})`, {
        hint: "Mend the disk, then restart the node.",
      });
    }
    const before = { generation: this.#generation, sum: this.#sum.value };
    let result: T;
    this.#inTransaction = true;
    this.#erased = false;
    try {
      this.#database.exec("begin immediate");
      this.#generation += 1;
      result = work(this.#transactionView());
      assert(!(result instanceof Promise), "a transaction must not await");
      this.#writeMeta();
      this.#options.failpoint("store.before-commit");
      this.#database.exec("commit");
    } catch (error) {
      this.#rollBack();
      this.#generation = before.generation;
      this.#sum.value = before.sum;
      throw isStorageFault(error) ? this.#stop(storeErrorOf(error)) : error;
    } finally {
      this.#inTransaction = false;
    }
    this.#afterCommit();
    return result;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#mark.close();
    } finally {
      this.#database.close();
    }
  }

  // Once SQLite has said "committed" nothing may undo it here: a failing mark or checkpoint only stops the writer.
  #afterCommit(): void {
    try {
      this.#mark.write(this.#generation);
      if (this.#erased) this.#database.exec("pragma wal_checkpoint(truncate)");
    } catch (error) {
      this.#stop(storeErrorOf(error));
    }
    this.#options.failpoint("store.after-commit");
  }

  /** Writing ends for good after a full disk or a failed sync: an fsync is never retried, for the page is already thought clean. */
  #stop(error: StoreError): StoreError {
    if (error.code === "STORE_NO_SPACE" || error.code === "STORE_IO") this.#stopped = error.code;
    else if (error.code === "STORE_LOCKED") this.#stopped = "STORE_IO";
    return error;
  }

  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec("rollback");
    } catch (error) {
      this.#stop(storeErrorOf(error));
    }
  }

  #readMeta(): { generation: number; sum: bigint } {
    const row = this.#row(metaTable, metaId);
    if (row === null) return { generation: 0, sum: 0n };
    const [generation, sum] = asTuple(decodeTcbor(row), "meta", 2);
    return {
      generation: asUint(generation, "generation"),
      sum: BigInt(`0x${Buffer.from(asBytes(sum, "sum", 32)).toString("hex")}`),
    };
  }

  #writeMeta(): void {
    const sum = fromHex(this.#sum.value.toString(16).padStart(64, "0"));
    assert(sum !== null, "a sum of 32 bytes");
    const plain = encodeTcbor([this.#generation, sum]);
    const name = { table: metaTable, id: metaId, version: this.#generation };
    this.#statements.put.run(metaTable, metaId, this.#generation, this.#seal.seal(name, plain));
  }

  #verifyRows(expected: bigint): void {
    const rows = this.#database.prepare("select tbl as 'table', id, version from row where tbl <> ''").iterate();
    // The statement's columns are these; node:sqlite types every row alike.
    for (const row of rows) this.#sum.add(row as unknown as { table: string; id: Uint8Array; version: number });
    if (this.#sum.value !== expected) {
      throw new StoreError("STORE_DAMAGED", "rows of the store were removed, added or put back", {
        hint: "Move the data folder away and join again with a new enrolment code.",
      });
    }
  }

  #verifyMark(): void {
    const mark = this.#mark.read();
    if (this.#generation === 0 && mark === null) return;
    if (mark !== null && this.#generation >= mark) return;
    throw new StoreError("STORE_ROLLED_BACK", "the store is older than its high-water mark", {
      hint: "Acknowledged work is missing. Move the data folder away and join again with a new enrolment code.",
    });
  }

  #view(): View {
    return {
      get: (table, id) => this.#row(named(table), id),
      scan: (table, options) => this.#scan(named(table), options),
      count: (table) => (this.#statements.count.get(named(table)) as { n: number }).n,
    };
  }

  #transactionView(): Transaction {
    return {
      ...this.#view(),
      put: (table, id, value) => {
        assert(id.length <= maxIdBytes, "a row id of at most 64 bytes");
        this.#forget(named(table), id);
        const name = { table, id, version: this.#generation };
        this.#statements.put.run(table, id, this.#generation, this.#seal.seal(name, value));
        this.#sum.add(name);
      },
      delete: (table, id) => {
        if (!this.#forget(named(table), id)) return false;
        this.#statements.delete.run(table, id);
        return true;
      },
    };
  }

  /** Takes a row's present version out of the sum; false where there is no such row. */
  #forget(table: string, id: Uint8Array): boolean {
    const present = this.#statements.version.get(table, id) as { version: number } | undefined;
    if (present === undefined) return false;
    this.#sum.remove({ table, id, version: present.version });
    if (this.#options.erasing?.includes(table)) this.#erased = true;
    return true;
  }

  #row(table: string, id: Uint8Array): Uint8Array | null {
    const row = this.#statements.get.get(table, id) as { version: number; sealed: Uint8Array } | undefined;
    return row === undefined ? null : this.#seal.open({ table, id, version: row.version }, row.sealed);
  }

  #scan(table: string, options: ScanOptions): Row[] {
    const range = rangeOf(options);
    const statement = options.reverse ? this.#statements.down : this.#statements.up;
    const rows = statement.all(table, range.low, range.high, options.limit) as unknown as SealedRow[];
    return rows.map((row) => ({ id: row.id, value: this.#seal.open({ table, id: row.id, version: row.version }, row.sealed) }));
  }
}

function named(table: string): string {
  assert(table !== metaTable, "a table has a name");
  return table;
}

const maxIdBytes = 64;
/** Above every id. */
const aboveAll = new Uint8Array(maxIdBytes + 1).fill(0xff);

/** The lowest and highest id of a scan, both inclusive. */
function rangeOf(options: ScanOptions): { low: Uint8Array; high: Uint8Array } {
  const prefix = options.prefix ?? new Uint8Array(0);
  const highest = new Uint8Array(aboveAll);
  highest.set(prefix);
  let low: Uint8Array = prefix;
  let high: Uint8Array = highest;
  if (options.from !== undefined && options.reverse && Buffer.compare(options.from, high) < 0) high = options.from;
  if (options.from !== undefined && !options.reverse && Buffer.compare(options.from, low) > 0) low = options.from;
  return { low, high };
}
