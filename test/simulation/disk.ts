import type { Seams } from "../../agent/seams/index.ts";
import type { Store, Transaction, View } from "../../agent/store/index.ts";
import { StoreError } from "../../agent/store/index.ts";
import { assert } from "../../protocol/base/index.ts";
import { hexOf, Table } from "./disk-table.ts";

/** What happens to the commit that it is meant for. */
export type DiskFault = "no space" | "io, lost" | "io, kept" | "crash before" | "crash after";

/** The process that has a disk open. */
export interface DiskUser {
  readonly alive: boolean;
  readonly seams: Pick<Seams, "timers">;
  die(): void;
}

/** One row that a transaction wrote; `after` is null where it went. */
export interface Change {
  readonly table: string;
  readonly key: string;
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
}

/** How long a sync takes that nobody waits for, milliseconds. */
const syncMs = 20;

/** The contents of a disk, shared by all that start from it: rows are never changed in place. */
export type DiskImage = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;

/** What a node keeps: it outlives the process. A transaction is there whole or not at all. */
export class Disk {
  readonly #tables = new Map<string, Table>();
  #fault: { readonly kind: DiskFault; commits: number } | null = null;
  /** A commit that the process was told had failed, and that is there all the same when the next one looks. */
  #surprise: readonly Change[] = [];
  /** Commits that a crash may take back: those since the last sync. */
  #unsynced: (readonly Change[])[] = [];
  /** What is written and not committed, the oldest first. */
  #open: Change[][] = [];
  commits = 0;
  /** Told of each commit. */
  onCommit: (changes: readonly Change[]) => void = () => {};
  /** Told when a planned fault happens. */
  onFault: (kind: DiskFault) => void = () => {};
  /** Changes what is written; a planted bug. */
  tamper: (change: Change) => Change = (change) => change;
  /** Every commit is synced before it is believed; false is a planted bug. */
  synced = true;

  constructor(image: DiskImage = new Map()) {
    for (const [name, rows] of image) this.#tables.set(name, new Table(new Map(rows)));
  }

  image(): DiskImage {
    return new Map([...this.#tables].map(([name, { rows }]) => [name, new Map(rows)]));
  }

  /** The commit after so many others meets this fault. */
  plan(kind: DiskFault, commits: number): void {
    this.#fault = { kind, commits };
  }

  forgetPlan(): void {
    this.#fault = null;
  }

  /** Opens it for a process; what an earlier one left open is closed by its death. */
  mount(user: DiskUser): Store {
    for (const change of this.#surprise) this.#set(change.table, change.key, change.after);
    this.#surprise = [];
    return new DiskStore(this, user);
  }

  /** Everything that was committed so far is on the disk. */
  reached(): void {
    if (this.synced) this.#unsynced = [];
  }

  /** Something is written that is not committed. */
  get open(): boolean {
    return this.#open.length > 0;
  }

  /** What is written into `changes` from now on is not committed before {@link closed}. */
  opened(changes: Change[]): void {
    this.#open.push(changes);
  }

  closed(changes: Change[]): void {
    this.#open = this.#open.filter((each) => each !== changes);
  }

  /** The process died: of what was not synced at most so many last commits are gone; how many were. */
  crashed(lost: number): number {
    // What is not committed lies above what a crash takes back.
    for (const changes of this.#open.toReversed()) this.undo(changes.splice(0));
    const gone = this.#unsynced.splice(Math.max(0, this.#unsynced.length - lost));
    for (const changes of gone.toReversed()) this.undo(changes);
    this.#unsynced = [];
    return gone.length;
  }

  /** The rows of a table, for those who look from outside. */
  rows(name: string): ReadonlyMap<string, Uint8Array> {
    return this.table(name).rows;
  }

  table(name: string): Table {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const made = new Table();
    this.#tables.set(name, made);
    return made;
  }

  /** Writes one row in place and says how it was. */
  write(table: string, key: string, after: Uint8Array | null): Change {
    const change = this.tamper({ table, key, before: this.table(table).rows.get(key) ?? null, after });
    this.#set(change.table, change.key, change.after);
    return change;
  }

  /** Writes a row beside the transaction under way, as it were part of it; for a planted bug. */
  inject(table: string, key: string, after: Uint8Array): void {
    const change: Change = { table, key, before: this.table(table).rows.get(key) ?? null, after };
    this.#set(table, key, after);
    this.onCommit([change]);
  }

  undo(changes: readonly Change[]): void {
    for (const { table, key, before } of changes.toReversed()) this.#set(table, key, before);
  }

  /** What the disk does with this commit. */
  faultOfCommit(): DiskFault | null {
    if (this.#fault === null) return null;
    if (this.#fault.commits > 0) {
      this.#fault.commits -= 1;
      return null;
    }
    const { kind } = this.#fault;
    this.#fault = null;
    this.onFault(kind);
    return kind;
  }

  surprise(changes: readonly Change[]): void {
    this.#surprise = changes;
  }

  /** A commit is seen by all; `synced` with everything before it. */
  done(changes: readonly Change[], synced: boolean): void {
    this.commits += 1;
    this.#unsynced.push(changes);
    if (synced) this.reached();
    this.onCommit(changes);
  }

  #set(table: string, key: string, value: Uint8Array | null): void {
    this.table(table).set(key, value);
  }
}

/** The seam `Store` of one process over its disk. A dead process writes nothing any more. */
class DiskStore implements Store {
  readonly #disk: Disk;
  readonly #user: DiskUser;
  #stopped: Store["stopped"] = null;
  #inTransaction = false;
  /** What the transactions of {@link together} have written. */
  #shared: Change[] | null = null;

  constructor(disk: Disk, user: DiskUser) {
    this.#disk = disk;
    this.#user = user;
  }

  get stopped(): Store["stopped"] {
    return this.#user.alive ? this.#stopped : "STORE_IO";
  }

  read<T>(work: (view: View) => T): T {
    return work(this.#view());
  }

  transaction<T>(work: (tx: Transaction) => T): T {
    return this.#transact(work, true);
  }

  transactionSyncedLater(work: (tx: Transaction) => void): Promise<void> {
    this.#transact(work, false);
    return new Promise((resolve) => {
      this.#user.seams.timers.after(syncMs, () => {
        this.#disk.reached();
        resolve();
      });
    });
  }

  sync(): void {
    this.transaction(() => {});
  }

  together(work: () => void): void {
    if (this.#shared !== null) return work();
    if (this.stopped !== null) throw new StoreError("STORE_STOPPED", "the store stopped writing");
    const shared: Change[] = [];
    this.#shared = shared;
    this.#disk.opened(shared);
    // As in the real one: what `work` throws comes after the commit.
    let thrown: { readonly error: unknown } | null = null;
    try {
      work();
    } catch (error) {
      thrown = { error };
    }
    try {
      this.#commit(shared, true);
    } catch (error) {
      this.#disk.undo(shared);
      throw error;
    } finally {
      this.#shared = null;
      this.#disk.closed(shared);
    }
    if (thrown !== null) throw thrown.error;
  }

  #transact<T>(work: (tx: Transaction) => T, synced: boolean): T {
    assert(!this.#inTransaction, "a transaction inside a transaction");
    if (this.stopped !== null) throw new StoreError("STORE_STOPPED", "the store stopped writing");
    const changes: Change[] = [];
    const alone = this.#shared === null;
    this.#inTransaction = true;
    this.#disk.opened(changes);
    let done = false;
    try {
      const result = work({ ...this.#view(), ...this.#writes(changes) });
      assert(!(result instanceof Promise), "a transaction must not await");
      if (alone) this.#commit(changes, synced);
      else this.#shared?.push(...changes);
      done = true;
      return result;
    } finally {
      if (!done) this.#disk.undo(changes);
      this.#inTransaction = false;
      this.#disk.closed(changes);
    }
  }

  close(): void {}

  #commit(changes: Change[], synced: boolean): void {
    // A process that died in the middle of its own work commits nothing.
    if (!this.#user.alive) throw new StoreError("STORE_STOPPED", "the process is dead");
    const fault = this.#disk.faultOfCommit();
    if (fault === "crash before") {
      this.#user.die();
      throw new StoreError("STORE_STOPPED", "the process is dead");
    }
    if (fault === "no space") throw this.#stop("STORE_NO_SPACE");
    if (fault === "io, lost" || fault === "io, kept") {
      if (fault === "io, kept") this.#disk.surprise(changes);
      throw this.#stop("STORE_IO");
    }
    this.#disk.closed(changes);
    this.#disk.done(changes, synced);
    if (fault === "crash after") this.#user.die();
  }

  #stop(code: "STORE_NO_SPACE" | "STORE_IO"): StoreError {
    this.#stopped = code;
    return new StoreError(code, "simulated fault");
  }

  #view(): View {
    const rows = (name: string) => this.#disk.table(name);
    return {
      get: (table, id) => rows(table).rows.get(hexOf(id))?.slice() ?? null,
      scan: (table, options) => rows(table).scan(options),
      count: (table) => rows(table).rows.size,
    };
  }

  #writes(changes: Change[]): Pick<Transaction, "put" | "delete"> {
    return {
      put: (table, id, value) => {
        assert(id.length <= 64, "a row id of at most 64 bytes");
        changes.push(this.#disk.write(table, hexOf(id), new Uint8Array(value)));
      },
      delete: (table, id) => {
        const key = hexOf(id);
        if (!this.#disk.table(table).rows.has(key)) return false;
        changes.push(this.#disk.write(table, key, null));
        return true;
      },
    };
  }
}
