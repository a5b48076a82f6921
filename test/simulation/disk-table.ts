import type { Row, ScanOptions } from "../../agent/store/index.ts";

/** Rows of one table with their keys in order. */
export class Table {
  readonly rows: Map<string, Uint8Array>;
  #sorted: string[] | null = null;

  constructor(rows: Map<string, Uint8Array> = new Map()) {
    this.rows = rows;
  }

  keys(): readonly string[] {
    this.#sorted ??= [...this.rows.keys()].sort();
    return this.#sorted;
  }

  set(key: string, value: Uint8Array | null): void {
    if (value === null) {
      this.rows.delete(key);
      this.#sorted = null;
      return;
    }
    if (!this.rows.has(key) && this.#sorted !== null) {
      const last = this.#sorted.at(-1);
      if (last === undefined || last < key) this.#sorted.push(key);
      else this.#sorted = null;
    }
    this.rows.set(key, value);
  }

  /** As the seam `Store` has it. */
  scan({ prefix, from, limit, reverse }: ScanOptions): Row[] {
    const keys = this.keys();
    const start = prefix === undefined ? "" : hexOf(prefix);
    const edge = from === undefined ? null : hexOf(from);
    const found: Row[] = [];
    const take = (key: string) => found.push({ id: bytesOf(key), value: (this.rows.get(key) as Uint8Array).slice() });
    if (reverse === true) {
      for (let at = keys.length - 1; at >= 0 && found.length < limit; at -= 1) {
        const key = keys[at] as string;
        if (key.startsWith(start) && (edge === null || key <= edge)) take(key);
      }
      return found;
    }
    const low = edge !== null && edge > start ? edge : start;
    for (let at = lowerBound(keys, low); at < keys.length && found.length < limit; at += 1) {
      const key = keys[at] as string;
      if (!key.startsWith(start)) break;
      take(key);
    }
    return found;
  }
}

/** Place of the first key that is not below `low`. */
function lowerBound(keys: readonly string[], low: string): number {
  let [from, to] = [0, keys.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((keys[middle] as string) < low) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** A row's key: its id in hexadecimal. */
export function hexOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString("hex");
}

function bytesOf(key: string): Uint8Array {
  return new Uint8Array(Buffer.from(key, "hex"));
}
