import { idKey } from "./pending-rows.ts";
import type { RowName } from "./row-name.ts";

/** A row as it was committed. */
interface KeptRow {
  readonly version: number;
  readonly value: Uint8Array;
}

/** Rows kept in plain, at most; a table for them has a few that are read all the time. */
const maxKeptRows = 64;

/** Longer ones are read and opened each time. */
const maxKeptBytes = 4096;

/**
 * Committed rows of some tables in plain, so that they need not be read and opened again. A row is put here when the database has said
 * that it is committed, and goes when anything is written in its place, whether that is ever committed or not: a transaction that rolls back needs nobody to think of it.
 */
export class KeptRows {
  readonly #tables: readonly string[];
  readonly #rows = new Map<string, KeptRow>();

  constructor(tables: readonly string[]) {
    this.#tables = tables;
  }

  /** The value is no copy; undefined where the database must be asked. */
  find(table: string, id: Uint8Array): KeptRow | undefined {
    return this.#tables.includes(table) ? this.#rows.get(keyOf(table, id)) : undefined;
  }

  /** {@link find}, for the last time. */
  take(table: string, id: Uint8Array): KeptRow | undefined {
    const row = this.find(table, id);
    if (row !== undefined) this.#rows.delete(keyOf(table, id));
    return row;
  }

  /** Notes a copy of a row that is committed. */
  keep({ table, id, version }: RowName, value: Uint8Array): void {
    if (!this.#tables.includes(table) || value.length > maxKeptBytes) return;
    if (this.#rows.size >= maxKeptRows) this.#rows.clear();
    this.#rows.set(keyOf(table, id), { version, value: new Uint8Array(value) });
  }
}

function keyOf(table: string, id: Uint8Array): string {
  return `${table} ${idKey(id)}`;
}
