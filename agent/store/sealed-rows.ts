import type { DatabaseSync } from "node:sqlite";
import { asBytes, assert, asTuple, asUint, decodeTcbor, encodeTcbor, fromHex } from "../../protocol/base/index.ts";
import { prepareStatements, type Statements } from "./database.ts";
import { StoreError } from "./errors.ts";
import { type RowSeal, RowSum } from "./row-seal.ts";
import { maxIdBytes, rangeOf } from "./scan-range.ts";
import type { Row, ScanOptions, Transaction, View } from "./store.ts";

interface SealedRow {
  readonly id: Uint8Array;
  readonly version: number;
  readonly sealed: Uint8Array;
}

/** The row that holds the generation and the sum; not a row of any table, so no caller reaches it. */
const metaTable = "";
const metaId = new Uint8Array(0);

/** The rows of an open database, each sealed, all of them under one sum. */
export class SealedRows {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #seal: RowSeal;
  readonly #sum: RowSum;
  readonly #erasing: readonly string[];
  #erased = false;

  /** `erasing`: tables of keys. */
  constructor(database: DatabaseSync, seal: RowSeal, erasing: readonly string[]) {
    this.#database = database;
    this.#statements = prepareStatements(database);
    this.#seal = seal;
    this.#sum = new RowSum(seal.derive("row sum"));
    this.#erasing = erasing;
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

  /** Adds up the rows of a database just opened and returns its generation. Throws STORE_DAMAGED. */
  verify(): number {
    const meta = this.#readMeta();
    const rows = this.#database.prepare("select tbl as 'table', id, version from row where tbl <> ''").iterate();
    // The statement's columns are these; node:sqlite types every row alike.
    for (const row of rows) this.#sum.add(row as unknown as { table: string; id: Uint8Array; version: number });
    if (this.#sum.value !== meta.sum) {
      throw new StoreError("STORE_DAMAGED", "rows of the store were removed, added or put back", {
        hint: "Move the data folder away and join again with a new enrolment code.",
      });
    }
    return meta.generation;
  }

  view(): View {
    return {
      get: (table, id) => this.#row(named(table), id),
      scan: (table, options) => this.#scan(named(table), options),
      count: (table) => (this.#statements.count.get(named(table)) as { n: number }).n,
    };
  }

  /** For one transaction, whose rows are of this generation. */
  change(generation: number): Transaction {
    this.#erased = false;
    return {
      ...this.view(),
      put: (table, id, value) => {
        assert(id.length <= maxIdBytes, "a row id of at most 64 bytes");
        this.#forget(named(table), id);
        const name = { table, id, version: generation };
        this.#statements.put.run(table, id, generation, this.#seal.seal(name, value));
        this.#sum.add(name);
      },
      delete: (table, id) => {
        if (!this.#forget(named(table), id)) return false;
        this.#statements.delete.run(table, id);
        return true;
      },
    };
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

  /** Takes a row's present version out of the sum; false where there is no such row. */
  #forget(table: string, id: Uint8Array): boolean {
    const present = this.#statements.version.get(table, id) as { version: number } | undefined;
    if (present === undefined) return false;
    this.#sum.remove({ table, id, version: present.version });
    if (this.#erasing.includes(table)) this.#erased = true;
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
