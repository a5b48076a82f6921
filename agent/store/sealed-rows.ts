import type { DatabaseSync } from "node:sqlite";
import { asBytes, assert, asTuple, asUint, decodeTcbor, encodeTcbor, fromHex } from "../../protocol/base/index.ts";
import { prepareStatements, type Statements } from "./database.ts";
import { StoreError } from "./errors.ts";
import { KeptRows } from "./kept-rows.ts";
import { mergeRows, PendingRows } from "./pending-rows.ts";
import type { RowName } from "./row-name.ts";
import type { RowSeal } from "./row-seal.ts";
import { type ListedRows, RowSum } from "./row-sum.ts";
import { maxIdBytes, rangeOf } from "./scan-range.ts";
import type { Row, ScanOptions, Transaction, View } from "./store.ts";

/** Tables that are treated in ways of their own. */
export interface TableKinds {
  /** Tables of keys: where a row of one is replaced or deleted, the journal is truncated so that no old copy stays. */
  readonly erasing?: readonly string[];
  /** Tables whose rows are read all the time and are no secrets: they may stay in memory in plain. */
  readonly kept?: readonly string[];
}

interface SealedRow {
  readonly id: Uint8Array;
  readonly version: number;
  readonly sealed: Uint8Array;
}

/** The row that holds the generation and the sum; not a row of any table, so no caller reaches it. */
const metaTable = "";
const metaId = new Uint8Array(0);

/** What a transaction keeps in plain before it is sealed and handed to the database: a bundle of thousands of entries is not held twice. */
const maxPendingBytes = 4 * 1024 * 1024;

/** The rows of an open database, each sealed, all of them under one sum. */
export class SealedRows {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #seal: RowSeal;
  readonly #sum: RowSum;
  readonly #erasing: readonly string[];
  readonly #pending = new PendingRows();
  readonly #kept: KeptRows;
  #generation = 0;
  #inPart = false;
  #erased = false;
  #spilled = false;

  constructor(database: DatabaseSync, seal: RowSeal, { erasing = [], kept = [] }: TableKinds) {
    this.#database = database;
    this.#statements = prepareStatements(database);
    this.#seal = seal;
    this.#sum = new RowSum(seal.derive("row sum"));
    this.#erasing = erasing;
    this.#kept = new KeptRows(kept);
  }

  /** The sum over all rows' names: kept before a transaction, and put back where that rolls back. */
  get sum(): bigint {
    return this.#sum.value;
  }

  set sum(sum: bigint) {
    this.#sum.value = sum;
  }

  /** Whether the last {@link change} replaced or deleted a key. */
  get erased(): boolean {
    return this.#erased;
  }

  /** Whether the last {@link change} handed rows to the database before its end, so that {@link flush} has not all of them. */
  get spilled(): boolean {
    return this.#spilled;
  }

  /** Whether the last {@link change} has written nothing so far. */
  get untouched(): boolean {
    return !this.#spilled && this.#pending.isEmpty;
  }

  /** Adds up the rows of a database just opened and returns its generation. Throws STORE_DAMAGED. */
  verify(): number {
    const meta = this.#readMeta();
    const listed = this.#database.prepare(`
      select tbl as 'table', cast(version as text) as version, length(id) as idBytes, group_concat(hex(id), '') as ids
      from row where tbl <> '' group by tbl, row.version, idBytes
    `);
    // The statement's columns are these; node:sqlite types every row alike.
    this.#sum.addListed(listed.iterate() as unknown as Iterable<ListedRows>);
    if (this.#sum.value !== meta.sum) {
      throw new StoreError("STORE_DAMAGED", "rows of the store were removed, added or put back", {
        hint: "Move the data folder away and join again with a new enrolment code.",
      });
    }
    return meta.generation;
  }

  view(): View {
    return {
      get: (table, id) => {
        const written = this.#pending.get(named(table), id);
        return written === undefined ? this.#row(table, id) : written;
      },
      scan: (table, options) => this.#scan(named(table), options),
      count: (table) => (this.#statements.count.get(named(table)) as { n: number }).n + this.#pendingCount(table),
    };
  }

  /** For one transaction, whose rows are of this generation; {@link flush} and then {@link discard} end it. */
  change(generation: number): Transaction {
    this.#erased = false;
    this.#spilled = false;
    this.#generation = generation;
    return {
      ...this.view(),
      put: (table, id, value) => {
        assert(id.length <= maxIdBytes, "a row id of at most 64 bytes");
        this.#write(named(table), id, value);
      },
      delete: (table, id) => {
        const exists = this.#exists(named(table), id);
        if (exists) this.#write(table, id, null);
        return exists;
      },
    };
  }

  /** A part of the transaction that may be taken back alone; one at a time. */
  part<T>(work: () => T): T {
    assert(!this.#inPart, "a transaction inside a transaction");
    this.#pending.beginPart();
    this.#inPart = true;
    try {
      const result = work();
      this.#pending.keepPart();
      return result;
    } catch (error) {
      this.#pending.dropPart();
      throw error;
    } finally {
      this.#inPart = false;
      this.#boundPending();
    }
  }

  /** Seals what the transaction has written, each row once, and hands it to the database; it stays known until {@link discard}. */
  flush(): void {
    for (const { table, id, value } of this.#pending.all()) this.#store({ table, id, version: this.#generation }, value);
  }

  /** The database has committed what the transaction has written. */
  committed(): void {
    for (const { table, id, value } of this.#pending.all())
      if (value !== null) this.#kept.keep({ table, id, version: this.#generation }, value);
  }

  /** Forgets what the transaction has written. */
  discard(): void {
    this.#pending.clear();
  }

  /** Writes the generation and the sum, as a transaction's last row. */
  putMeta(generation: number): void {
    const sum = fromHex(this.#sum.value.toString(16).padStart(64, "0"));
    assert(sum !== null, "a sum of 32 bytes");
    const plain = encodeTcbor([generation, sum]);
    const name = { table: metaTable, id: metaId, version: generation };
    this.#statements.put.run(metaTable, metaId, generation, this.#seal.seal(name, plain));
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

  #write(table: string, id: Uint8Array, value: Uint8Array | null): void {
    if (this.#erasing.includes(table) && this.#exists(table, id)) this.#erased = true;
    this.#pending.set(table, id, value);
    this.#boundPending();
  }

  #boundPending(): void {
    // What a part wrote must be possible to take back.
    if (this.#inPart || this.#pending.bytes <= maxPendingBytes) return;
    this.flush();
    this.discard();
    this.#spilled = true;
  }

  #exists(table: string, id: Uint8Array): boolean {
    const written = this.#pending.peek(table, id);
    return written === undefined ? this.#statements.version.get(table, id) !== undefined : written !== null;
  }

  /** Puts or deletes one row; the version that was there before leaves the sum. */
  #store(name: RowName, value: Uint8Array | null): void {
    const { table, id } = name;
    const stored = this.#kept.take(table, id) ?? this.#statements.version.get(table, id);
    const present = stored as { readonly version: number } | undefined;
    if (present !== undefined) this.#sum.remove({ table, id, version: present.version });
    if (value === null) {
      if (present !== undefined) this.#statements.delete.run(table, id);
      return;
    }
    this.#statements.put.run(table, id, name.version, this.#seal.seal(name, value));
    this.#sum.add(name);
  }

  /** How many rows more than are stored. */
  #pendingCount(table: string): number {
    let more = 0;
    for (const { id, value } of this.#pending.range(table, rangeOf({ limit: 0 }), false)) {
      const stored = this.#statements.version.get(table, id) !== undefined;
      more += Number(value !== null) - Number(stored);
    }
    return more;
  }

  #row(table: string, id: Uint8Array): Uint8Array | null {
    const kept = this.#kept.find(table, id);
    if (kept !== undefined) return new Uint8Array(kept.value);
    const row = this.#statements.get.get(table, id) as { version: number; sealed: Uint8Array } | undefined;
    return row === undefined ? null : this.#seal.open({ table, id, version: row.version }, row.sealed);
  }

  #scan(table: string, options: ScanOptions): Row[] {
    const range = rangeOf(options);
    const reverse = options.reverse === true;
    const statement = reverse ? this.#statements.down : this.#statements.up;
    const open = (row: SealedRow) => this.#seal.open({ table, id: row.id, version: row.version }, row.sealed);
    if (!this.#pending.has(table)) {
      // The statement's columns are a sealed row's; node:sqlite types every row alike, here and below.
      const rows = statement.all(table, range.low, range.high, options.limit) as unknown as SealedRow[];
      return rows.map((row) => ({ id: row.id, value: open(row) }));
    }
    const rows: Row[] = [];
    if (options.limit < 1) return rows;
    const stored = statement.iterate(table, range.low, range.high, -1) as unknown as Iterable<SealedRow>;
    for (const row of mergeRows(stored, this.#pending.range(table, range, reverse), { reverse, open }))
      if (rows.push(row) === options.limit) break;
    return rows;
  }
}

function named(table: string): string {
  assert(table !== metaTable, "a table has a name");
  return table;
}
