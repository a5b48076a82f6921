import type { DatabaseSync } from "node:sqlite";
import { assert, type Random, type Secret } from "../../protocol/base/index.ts";
import type { Failpoint } from "../seams/index.ts";
import { attempt } from "./attempt.ts";
import { openDatabase, syncCommits } from "./database.ts";
import { isStorageFault, StoreError, storeErrorOf } from "./errors.ts";
import { HighWaterMark } from "./high-water-mark.ts";
import { JournalSync } from "./journal-sync.ts";
import { RowSeal } from "./row-seal.ts";
import { SealedRows, type TableKinds } from "./sealed-rows.ts";
import type { Store, Transaction, View } from "./store.ts";

export interface StoreOptions extends TableKinds {
  /** The database file; made with mode 0600 where it is missing. */
  readonly path: string;
  /** The high-water mark's file, kept apart from the database. */
  readonly markPath: string;
  /** The store key, 32 bytes; stays the caller's and must outlive the store. */
  readonly key: Secret;
  readonly random: Random;
  /** Names `store.before-commit` and `store.after-commit`; where the sync comes later, around it `store.before-sync` and `store.after-sync`. */
  readonly failpoint: Failpoint;
  /** Room that is given up where the disk is full, so that what was to be written then still is; none where it is absent. */
  readonly reserve?: { release(): boolean };
}

/**
 * Opens the sealed store, alone: throws STORE_LOCKED where another process has it, STORE_ROLLED_BACK where it is older than its
 * mark, STORE_DAMAGED where rows were taken, added or put back, or the key is another store's.
 */
export function openStore(options: StoreOptions): Store {
  const open = () => new SqliteStore(options);
  try {
    return attempt(open, options.reserve);
  } catch (error) {
    throw isStorageFault(error) ? storeErrorOf(error) : error;
  }
}

/** A commit that several transactions share. */
interface SharedCommit {
  readonly tx: Transaction;
  /** The disk failed in one of them: none will be committed. */
  failed: StoreError | null;
}

/** Ends a shared commit that has nothing to commit. */
const nothingWritten = new Error("nothing was written");

class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #seal: RowSeal;
  readonly #rows: SealedRows;
  readonly #mark: HighWaterMark;
  readonly #journal: JournalSync;
  readonly #options: StoreOptions;
  #generation: number;
  /** The highest generation that is known to be on the disk: all that the mark may tell. */
  #durable: number;
  #stopped: Store["stopped"] = null;
  #inTransaction = false;
  /** Whether SQLite syncs what it commits. */
  #commitsSync = true;
  #shared: SharedCommit | null = null;
  #closed = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    const seal = new RowSeal(options.key, options.random);
    this.#seal = seal;
    this.#database = openDatabase(options.path);
    try {
      this.#rows = new SealedRows(this.#database, seal, options);
      this.#generation = this.#rows.verify();
      this.#durable = this.#generation;
      this.#mark = new HighWaterMark(options.markPath, seal.derive("high-water mark"));
    } catch (error) {
      this.#database.close();
      throw error;
    }
    this.#journal = new JournalSync(options.path, options.failpoint);
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
      return work(this.#rows.view());
    } catch (error) {
      throw isStorageFault(error) ? storeErrorOf(error) : error;
    }
  }

  transaction<T>(work: (tx: Transaction) => T): T {
    if (this.#shared !== null) return this.#inShared(this.#shared, work);
    const result = this.#commit(work, { sync: true });
    this.#afterCommit();
    return result;
  }

  together(work: () => void): void {
    if (this.#shared !== null) return work();
    // What `work` throws undoes nothing: each of its transactions that returned is believed to be on the disk.
    let thrown: { readonly error: unknown } | null = null;
    const all = (tx: Transaction) => {
      const shared: SharedCommit = { tx, failed: null };
      this.#shared = shared;
      try {
        work();
      } catch (error) {
        thrown = { error };
      } finally {
        this.#shared = null;
      }
      if (shared.failed !== null) throw shared.failed;
      // An empty commit would wait for the disk all the same.
      if (this.#rows.untouched) throw nothingWritten;
    };
    try {
      this.transaction(all);
    } catch (error) {
      if (error !== nothingWritten) throw error;
    }
    if (thrown !== null) throw (thrown as { readonly error: unknown }).error;
  }

  transactionSyncedLater(work: (tx: Transaction) => void): Promise<void> {
    const unsynced = (tx: Transaction) => {
      work(tx);
      assert(!this.#rows.erased, "erasing waits for the disk");
    };
    this.#commit(unsynced, { sync: false });
    const generation = this.#generation;
    this.#options.failpoint("store.after-commit");
    return this.#journal
      .sync()
      .then(() => {
        this.#options.failpoint("store.after-sync");
        if (!this.#closed && this.#stopped === null) this.#reached(generation);
      })
      .catch((cause: unknown) => {
        throw this.#stop(storeErrorOf(cause));
      });
  }

  // By a commit, so by SQLite's descriptor: of a failed write our own may be told in the sync that is under way.
  sync(): void {
    if (this.#durable < this.#generation) this.transaction(() => {});
  }

  close(): void {
    if (this.#closed) return;
    try {
      if (this.#stopped === null) this.sync();
    } finally {
      this.#closed = true;
      this.#journal.close();
      try {
        this.#mark.close();
      } finally {
        this.#seal.wipe();
        this.#database.close();
      }
    }
  }

  /** One of several transactions of one commit: it rolls back alone, unless it is the disk that failed. */
  #inShared<T>(shared: SharedCommit, work: (tx: Transaction) => T): T {
    if (shared.failed !== null) throw shared.failed;
    try {
      return this.#rows.part(() => {
        const result = work(shared.tx);
        assert(!(result instanceof Promise), "a transaction must not await");
        return result;
      });
    } catch (error) {
      if (!isStorageFault(error)) throw error;
      shared.failed = this.#stop(storeErrorOf(error));
      throw shared.failed;
    }
  }

  #commit<T>(work: (tx: Transaction) => T, { sync }: { readonly sync: boolean }): T {
    assert(!this.#inTransaction, "a transaction inside a transaction");
    if (this.#stopped !== null) {
      throw new StoreError("STORE_STOPPED", `the store stopped writing (${this.#stopped})`, {
        hint: "Mend the disk, then restart the node.",
      });
    }
    this.#syncCommits(sync);
    const before = { generation: this.#generation, sum: this.#rows.sum };
    this.#inTransaction = true;
    try {
      this.#database.exec("begin immediate");
      this.#generation += 1;
      const result = work(this.#rows.change(this.#generation));
      assert(!(result instanceof Promise), "a transaction must not await");
      this.#finish(before.sum);
      return result;
    } catch (error) {
      this.#rollBack();
      this.#generation = before.generation;
      this.#rows.sum = before.sum;
      throw isStorageFault(error) ? this.#stop(storeErrorOf(error)) : error;
    } finally {
      this.#rows.discard();
      this.#inTransaction = false;
    }
  }

  /** Writes the transaction's rows and commits them; once more where the disk is full and the reserve makes room. */
  #finish(sum: bigint): void {
    // What was handed over before is gone with SQLite's rollback, and the transaction's own work must not run twice.
    if (this.#rows.spilled) return this.#write();
    let again = false;
    attempt(() => {
      if (again) {
        if (this.#database.isTransaction) this.#database.exec("rollback");
        this.#rows.sum = sum;
        this.#database.exec("begin immediate");
      }
      again = true;
      this.#write();
    }, this.#options.reserve);
  }

  #write(): void {
    this.#rows.flush();
    this.#rows.putMeta(this.#generation);
    this.#options.failpoint("store.before-commit");
    this.#database.exec("commit");
    this.#rows.committed();
  }

  // Once SQLite has said "committed" nothing may undo it here: a failing mark or checkpoint only stops the writer.
  #afterCommit(): void {
    try {
      this.#reached(this.#generation);
      const truncate = () => this.#database.exec("pragma wal_checkpoint(truncate)");
      if (this.#rows.erased) attempt(truncate, this.#options.reserve);
    } catch (error) {
      this.#stop(storeErrorOf(error));
    }
    this.#options.failpoint("store.after-commit");
  }

  /** Every commit up to this one is on the disk. */
  #reached(generation: number): void {
    if (generation <= this.#durable) return;
    this.#durable = generation;
    this.#mark.write(generation);
  }

  /** Only where it is not so already: it takes a tenth of a small commit. A store that cannot be made to sync must not commit, for nobody would notice. */
  #syncCommits(sync: boolean): void {
    if (sync === this.#commitsSync) return;
    try {
      syncCommits(this.#database, sync);
      this.#commitsSync = sync;
    } catch (cause) {
      throw this.#stop(new StoreError("STORE_IO", "the store cannot set whether its commits sync", { cause }));
    }
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

  #verifyMark(): void {
    const mark = this.#mark.read();
    // The mark follows the first commit: where it could not be written then, that commit is all there is.
    if (this.#generation <= 1 && mark === null) return;
    if (mark !== null && this.#generation >= mark) return;
    throw new StoreError("STORE_ROLLED_BACK", "the store is older than its high-water mark", {
      hint: "Acknowledged work is missing. Move the data folder away and join again with a new enrolment code.",
    });
  }
}
