import type { SQLInputValue, SQLOutputValue } from "node:sqlite";

type Row = Record<string, SQLOutputValue>;

/** Answers kept; then it begins anew. */
const mostKept = 5_000;

/**
 * What queries found, told again for as long as nobody has written to their tables: a vault asks for the same few rows in each of its
 * transactions. The schema has no triggers and no cascades, so that a statement writes to no other table than the one it names.
 */
export class RememberedRows {
  readonly #tables = new Map<string, { readonly reads: readonly string[]; readonly writes: string | null }>();
  readonly #writes = new Map<string, number>();
  #forgotten = 0;
  readonly #found = new Map<string, { readonly stamp: number; readonly rows: readonly Row[] }>();

  /** The rows of a query, from memory where they cannot be others. */
  rows(sql: string, values: readonly SQLInputValue[], ask: () => Row[]): Row[] {
    const { reads, writes } = this.#tablesOf(sql);
    if (writes !== null || reads.length === 0) {
      this.wrote(sql);
      return ask();
    }
    const key = `${sql} ${values.map(textOf).join(" ")}`;
    const stamp = reads.reduce((sum, table) => sum + (this.#writes.get(table) ?? 0), this.#forgotten);
    const found = this.#found.get(key);
    if (found?.stamp === stamp) return found.rows.map(copied);
    const rows = ask();
    if (this.#found.size >= mostKept) this.#found.clear();
    this.#found.set(key, { stamp, rows: rows.map(copied) });
    return rows;
  }

  /** A statement was carried out that may have written. */
  wrote(sql: string): void {
    const { writes } = this.#tablesOf(sql);
    if (writes !== null) this.#writes.set(writes, (this.#writes.get(writes) ?? 0) + 1);
  }

  /** Anything may be another now. */
  forget(): void {
    this.#forgotten += 1;
    this.#found.clear();
  }

  #tablesOf(sql: string): { readonly reads: readonly string[]; readonly writes: string | null } {
    const known = this.#tables.get(sql);
    if (known !== undefined) return known;
    const writes = /^\s*(?:insert into|update|delete from)\s+"?(\w+)/i.exec(sql)?.[1] ?? null;
    const reads = [...sql.matchAll(/\b(?:from|join)\s+"?(\w+)/gi)].flatMap(([, table]) => (table === undefined ? [] : [table]));
    const tables = { reads, writes };
    this.#tables.set(sql, tables);
    return tables;
  }
}

function textOf(value: SQLInputValue): string {
  return ArrayBuffer.isView(value)
    ? `x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")}`
    : `${typeof value} ${JSON.stringify(value)}`;
}

/** Whoever asked may do with his rows what he likes. */
function copied(row: Row): Row {
  const copy = { ...row };
  for (const name in copy) {
    const value = copy[name];
    if (value instanceof Uint8Array) copy[name] = value.slice();
  }
  return copy;
}
