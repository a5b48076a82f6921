import type { Row } from "./store.ts";

/** A row as a transaction left it: null where it was deleted, undefined where what it wrote was taken back. */
interface PendingRow {
  readonly id: Uint8Array;
  value: Uint8Array | null | undefined;
}

interface PendingTable {
  readonly rows: Map<string, PendingRow>;
  /** Its keys; in the order of the ids where `sorted`. */
  keys: string[];
  sorted: boolean;
}

interface Undo {
  readonly row: PendingRow;
  readonly before: PendingRow["value"];
}

/**
 * What a transaction has written so far, in plain and in copies of its own: a row that is written many times is sealed and stored
 * once, when the transaction commits. Until then one part of it may be taken back alone.
 */
export class PendingRows {
  readonly #tables = new Map<string, PendingTable>();
  #undo: Undo[] | null = null;
  #bytes = 0;

  /** Bytes of all values that were written since the last {@link clear}. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Nothing was written, or all of it was taken back. */
  get isEmpty(): boolean {
    return this.all().next().done === true;
  }

  /** Whether anything of the table was written. */
  has(table: string): boolean {
    return this.#tables.has(table);
  }

  /** A copy of the row; null where it was deleted, undefined where nothing was written. */
  get(table: string, id: Uint8Array): Uint8Array | null | undefined {
    const value = this.peek(table, id);
    return value === undefined || value === null ? value : copyOf(value);
  }

  /** As {@link get} without a copy. */
  peek(table: string, id: Uint8Array): Uint8Array | null | undefined {
    return this.#tables.get(table)?.rows.get(idKey(id))?.value;
  }

  /** Notes a copy of `value`, or that the row is to go. */
  set(table: string, id: Uint8Array, value: Uint8Array | null): void {
    const row = this.#rowAt(table, id);
    if (this.#undo !== null) this.#undo.push({ row, before: row.value });
    else row.value?.fill(0);
    this.#put(row, value === null ? null : copyOf(value));
  }

  /** Begins a part; one at a time. */
  beginPart(): void {
    this.#undo = [];
  }

  /** The part is taken over. */
  keepPart(): void {
    for (const { before } of this.#undo ?? []) before?.fill(0);
    this.#undo = null;
  }

  /** Everything is as it was before the part. */
  dropPart(): void {
    for (const { row, before } of this.#undo?.reverse() ?? []) {
      row.value?.fill(0);
      this.#put(row, before);
    }
    this.#undo = null;
  }

  /** All that was written; no copies. */
  *all(): Generator<{ readonly table: string; readonly id: Uint8Array; readonly value: Uint8Array | null }> {
    for (const [table, { rows }] of this.#tables)
      for (const { id, value } of rows.values()) if (value !== undefined) yield { table, id, value };
  }

  /** What was written of a table between two ids, both inclusive, in the order of ids; no copies. */
  *range(name: string, { low, high }: { low: Uint8Array; high: Uint8Array }, reverse: boolean): Generator<PendingRow> {
    const table = this.#tables.get(name);
    if (table === undefined) return;
    if (!table.sorted) table.keys.sort();
    table.sorted = true;
    const { keys, rows } = table;
    const [lowest, highest] = [idKey(low), idKey(high)];
    for (let at = 0; at < keys.length; at += 1) {
      const key = keys[reverse ? keys.length - 1 - at : at] as string;
      if (reverse ? key < lowest : key > highest) return;
      if (key < lowest || key > highest) continue;
      const row = rows.get(key);
      if (row !== undefined && row.value !== undefined) yield row;
    }
  }

  /** Forgets and overwrites everything. */
  clear(): void {
    for (const { rows } of this.#tables.values()) for (const { value } of rows.values()) value?.fill(0);
    for (const { before } of this.#undo ?? []) before?.fill(0);
    this.#tables.clear();
    this.#undo = null;
    this.#bytes = 0;
  }

  #put(row: PendingRow, value: PendingRow["value"]): void {
    this.#bytes += (value?.length ?? 0) - (row.value?.length ?? 0);
    row.value = value;
  }

  #rowAt(name: string, id: Uint8Array): PendingRow {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = { rows: new Map(), keys: [], sorted: true };
      this.#tables.set(name, table);
    }
    const key = idKey(id);
    const known = table.rows.get(key);
    if (known !== undefined) return known;
    const row: PendingRow = { id: copyOf(id), value: undefined };
    const last = table.keys.at(-1);
    table.sorted &&= last === undefined || last < key;
    table.rows.set(key, row);
    table.keys.push(key);
    return row;
  }
}

/** An id as a map's key; orders as the bytes do: one character each. */
export function idKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString("latin1");
}

/** A scan's rows of both: what is stored, and what was written since; both in the order of the scan. */
export function* mergeRows<Stored extends { readonly id: Uint8Array }>(
  stored: Iterable<Stored>,
  pending: Iterator<PendingRow>,
  { reverse, open }: { readonly reverse: boolean; readonly open: (row: Stored) => Uint8Array },
): Generator<Row> {
  let next = pending.next();
  for (const row of stored) {
    while (next.done !== true && orderOf(next.value.id, row.id, reverse) < 0) {
      yield* rowOf(next.value);
      next = pending.next();
    }
    // What was written stands for what is stored.
    if (next.done === true || orderOf(next.value.id, row.id, reverse) !== 0) yield { id: row.id, value: open(row) };
  }
  for (; next.done !== true; next = pending.next()) yield* rowOf(next.value);
}

function rowOf({ id, value }: PendingRow): Row[] {
  return value === null || value === undefined ? [] : [{ id: copyOf(id), value: copyOf(value) }];
}

/** A Buffer's own `slice` copies nothing. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function orderOf(a: Uint8Array, b: Uint8Array, reverse: boolean): number {
  const order = Buffer.compare(a, b);
  return reverse ? -order : order;
}
