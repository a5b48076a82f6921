import { hash } from "node:crypto";
import { everyRow } from "../agent/node/index.ts";
import type { Transaction, View } from "../agent/store/index.ts";
import { toHex } from "../protocol/base/index.ts";
import type { Account } from "./rotation/index.ts";

const table = "path";

/**
 * Which account a path names, a row each: a start can answer the first reads before it has read every account. True exactly while
 * the store says that the last bundle was taken in whole.
 */
export class PathIndex {
  /** Account ids, in hexadecimal, by hexadecimal row id; null before the rows were read. */
  #stored: Map<string, string> | null = null;

  /** The id of the account at a path, or null. */
  find(view: View, path: string): Uint8Array | null {
    return view.get(table, rowId(path));
  }

  /** Brings the rows in line with the accounts by path, in the transaction that says that all was taken in. */
  save(tx: Transaction, byPath: ReadonlyMap<string, Account>): void {
    const before = this.#stored ?? readAll(tx);
    const after = new Map<string, string>();
    for (const [path, { id, key }] of byPath) {
      const row = rowId(path);
      const name = toHex(row);
      after.set(name, key);
      if (before.get(name) !== key) tx.put(table, row, id);
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

/** A path may be longer than a row's id. */
function rowId(path: string): Uint8Array {
  return hash("sha256", path, "buffer").subarray(0, 16);
}
