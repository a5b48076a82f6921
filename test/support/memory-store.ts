import type { Row, ScanOptions, Store, Transaction, View } from "../../agent/store/index.ts";
import { StoreError } from "../../agent/store/index.ts";
import { assert } from "../../protocol/base/index.ts";

type Fault = "STORE_NO_SPACE" | "STORE_IO";
type Tables = Map<string, Map<string, Uint8Array>>;

/** A store in memory with faults, for tests and the simulation: what it holds survives `reopen`, as a disk survives a crash. */
export class MemoryStore implements Store {
  #tables: Tables;
  /** What a power cut leaves. */
  #durable: Tables;
  #durableCommits = 0;
  #stopped: Fault | null = null;
  #inTransaction = false;
  #failNext: Fault | null = null;
  #failSync: Fault | null = null;
  #syncs = Promise.resolve();
  commits = 0;
  /** Commits that waited for the disk. */
  waits = 0;

  constructor(tables: Tables = new Map()) {
    this.#tables = tables;
    this.#durable = tables;
  }

  get stopped(): Fault | null {
    return this.#stopped;
  }

  /** The next commit fails so. */
  failNext(fault: Fault): void {
    this.#failNext = fault;
  }

  /** The next sync beside the event loop fails so. */
  failNextSync(fault: Fault): void {
    this.#failSync = fault;
  }

  /** What a new process finds after this one died. */
  reopen(): MemoryStore {
    return new MemoryStore(copyOf(this.#tables));
  }

  /** What a new process finds after the power was cut. */
  reopenAfterPowerCut(): MemoryStore {
    return new MemoryStore(copyOf(this.#durable));
  }

  read<T>(work: (view: View) => T): T {
    return work(this.#view());
  }

  transaction<T>(work: (tx: Transaction) => T): T {
    const result = this.#commit(work);
    this.waits += 1;
    this.#reached(this.#tables, this.commits);
    return result;
  }

  together(work: () => void): void {
    work();
  }

  transactionSyncedLater(work: (tx: Transaction) => void): Promise<void> {
    this.#commit(work);
    const [tables, commits] = [this.#tables, this.commits];
    this.#syncs = this.#syncs.then(() => {
      if (this.#failSync !== null) {
        this.#stopped ??= this.#failSync;
        throw new StoreError(this.#failSync, "planted fault");
      }
      this.#reached(tables, commits);
    });
    return this.#syncs;
  }

  sync(): void {
    if (this.#durableCommits < this.commits) this.transaction(() => {});
  }

  #reached(tables: Tables, commits: number): void {
    if (commits <= this.#durableCommits) return;
    this.#durable = tables;
    this.#durableCommits = commits;
  }

  #commit<T>(work: (tx: Transaction) => T): T {
    assert(!this.#inTransaction, "a transaction inside a transaction");
    if (this.#stopped !== null) throw new StoreError("STORE_STOPPED", "the store stopped writing");
    const before = this.#tables;
    this.#tables = copyOf(before);
    this.#inTransaction = true;
    try {
      const result = work({ ...this.#view(), ...this.#writes() });
      assert(!(result instanceof Promise), "a transaction must not await");
      if (this.#failNext !== null) {
        this.#stopped = this.#failNext;
        throw new StoreError(this.#failNext, "planted fault");
      }
      this.commits += 1;
      return result;
    } catch (error) {
      this.#tables = before;
      throw error;
    } finally {
      this.#inTransaction = false;
      this.#failNext = null;
    }
  }

  /** Tables with a row that holds these bytes: what a disk would hold, unsealed. */
  tablesWith(text: string): string[] {
    const rows = [...this.#tables].filter(([, table]) => [...table.values()].some((row) => Buffer.from(row).includes(text)));
    return rows.map(([name]) => name).sort();
  }

  close(): void {}

  #table(name: string): Map<string, Uint8Array> {
    const table = this.#tables.get(name) ?? new Map<string, Uint8Array>();
    this.#tables.set(name, table);
    return table;
  }

  #view(): View {
    return {
      get: (table, id) => this.#table(table).get(hex(id))?.slice() ?? null,
      scan: (table, options) => scan(this.#table(table), options),
      count: (table) => this.#table(table).size,
    };
  }

  #writes(): Pick<Transaction, "put" | "delete"> {
    return {
      put: (table, id, value) => {
        assert(id.length <= 64, "a row id of at most 64 bytes");
        // A Buffer's own `slice` copies nothing.
        this.#table(table).set(hex(id), new Uint8Array(value));
      },
      delete: (table, id) => this.#table(table).delete(hex(id)),
    };
  }
}

function scan(table: Map<string, Uint8Array>, options: ScanOptions): Row[] {
  const prefix = hex(options.prefix ?? new Uint8Array(0));
  const from = options.from === undefined ? null : hex(options.from);
  const ids = [...table.keys()].filter((id) => {
    if (!id.startsWith(prefix)) return false;
    return from === null || (options.reverse ? id <= from : id >= from);
  });
  ids.sort();
  if (options.reverse) ids.reverse();
  return ids.slice(0, options.limit).map((id) => ({ id: bytes(id), value: (table.get(id) as Uint8Array).slice() }));
}

function copyOf(tables: Tables): Tables {
  return new Map([...tables].map(([name, rows]) => [name, new Map(rows)]));
}

function hex(id: Uint8Array): string {
  return Buffer.from(id).toString("hex");
}

function bytes(id: string): Uint8Array {
  return new Uint8Array(Buffer.from(id, "hex"));
}
