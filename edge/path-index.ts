import { everyRow, makePathRows, pathRows } from "../agent/node/index.ts";
import type { Transaction, View } from "../agent/store/index.ts";
import { type Random, toHex } from "../protocol/base/index.ts";
import type { Account } from "./rotation/index.ts";

const table = "path";

/**
 * Which account a path names, a row each: a start can answer the first reads before it has read every account. True exactly while
 * the store says that the last bundle was taken in whole.
 */
export class PathIndex {
  readonly #random: Random;
  /** Account ids, in hexadecimal, by hexadecimal row id; null before the rows were read. */
  #stored: Map<string, string> | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The id of the account at a path, or null. */
  find(view: View, path: string): Uint8Array | null {
    const rowOf = pathRows(view);
    return rowOf === null ? null : view.get(table, rowOf(path));
  }

  /** Brings the rows in line with the accounts by path, in the transaction that says that all was taken in. */
  save(tx: Transaction, byPath: ReadonlyMap<string, Account>): void {
    const rowOf = makePathRows(tx, this.#random);
    const before = this.#stored ?? readAll(tx);
    const after = new Map<string, string>();
    for (const [path, account] of byPath) {
      const row = rowOf(path);
      const name = toHex(row);
      after.set(name, account.key);
      if (before.get(name) !== account.key) tx.put(table, row, account.id);
    }
    for (const name of before.keys()) if (!after.has(name)) tx.delete(table, Buffer.from(name, "hex"));
    this.#stored = after;
  }

  /** Reads the rows again at the next {@link save}: the last one may not have been committed. */
  forget(): void {
    this.#stored = null;
  }
}

function readAll(view: View): Map<string, string> {
  const rows = new Map<string, string>();
  for (const { id, value } of everyRow(view, table)) rows.set(toHex(id), toHex(value));
  return rows;
}
