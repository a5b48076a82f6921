import { decodeEntryBundle, encodeEntryBundle, tileWidth } from "../../protocol/audit/index.ts";
import { concat, u32be, u64be, utf8 } from "../../protocol/base/index.ts";
import type { Transaction, View } from "../store/index.ts";
import type { AuditRead, AuditStorage, AuditWrite, MarkName } from "./storage.ts";

/**
 * A log in the node's sealed store. 256 leaves that fill an entry bundle become one row, so that a log of a million leaves is four
 * thousand rows; only the leaves after the last full bundle are rows of their own.
 */
export function storeStorage(serial: number): AuditStorage<View, Transaction> {
  return { read: (view) => new Reading(view, serial), write: (tx) => new Writing(tx, serial) };
}

const tables = { leaf: "audit-leaf", bundle: "audit-bundle", tile: "audit-tile", mark: "audit-mark" } as const;

class Reading implements AuditRead {
  readonly #view: View;
  protected readonly prefix: Uint8Array;

  constructor(view: View, serial: number) {
    this.#view = view;
    this.prefix = u32be(serial);
  }

  mark(name: MarkName): Uint8Array | null {
    return this.#view.get(tables.mark, this.id(utf8(name)));
  }

  leaves(from: number, limit: number): Uint8Array[] {
    const leaves: Uint8Array[] = [];
    while (leaves.length < limit) {
      const at = from + leaves.length;
      const bundle = this.#view.get(tables.bundle, this.id(u64be(Math.floor(at / tileWidth))));
      if (bundle === null) {
        leaves.push(...this.tail(at, limit - leaves.length));
        break;
      }
      leaves.push(...decodeEntryBundle(bundle).slice(at % tileWidth, (at % tileWidth) + limit - leaves.length));
    }
    return leaves;
  }

  tile(level: number, index: number): Uint8Array | null {
    return this.#view.get(tables.tile, this.tileId(level, index));
  }

  /** Leaves after the last full bundle. */
  protected tail(from: number, limit: number): Uint8Array[] {
    return this.#view.scan(tables.leaf, { prefix: this.prefix, from: this.id(u64be(from)), limit }).map((row) => row.value);
  }

  protected id(rest: Uint8Array): Uint8Array {
    return concat(this.prefix, rest);
  }

  protected tileId(level: number, index: number): Uint8Array {
    return this.id(concat(Uint8Array.of(level), u64be(index)));
  }
}

class Writing extends Reading implements AuditWrite {
  readonly #tx: Transaction;

  constructor(tx: Transaction, serial: number) {
    super(tx, serial);
    this.#tx = tx;
  }

  append(rows: Parameters<AuditWrite["append"]>[0]): void {
    const begin = rows.first - (rows.first % tileWidth);
    const before =
      rows.first > begin && rows.first + rows.leaves.length >= begin + tileWidth ? this.tail(begin, tileWidth) : [];
    let at = rows.first;
    // Leaves that fill a bundle go straight into it; those that were rows of their own move.
    for (let taken = 0; taken < rows.leaves.length; ) {
      const index = Math.floor(at / tileWidth);
      const end = (index + 1) * tileWidth;
      const part = rows.leaves.slice(taken, taken + end - at);
      taken += part.length;
      if (at + part.length === end) {
        this.#tx.put(tables.bundle, this.id(u64be(index)), encodeEntryBundle(at === rows.first ? [...before, ...part] : part));
        for (let moved = index * tileWidth; moved < at; moved += 1) this.#tx.delete(tables.leaf, this.id(u64be(moved)));
      } else for (const [offset, leaf] of part.entries()) this.#tx.put(tables.leaf, this.id(u64be(at + offset)), leaf);
      at += part.length;
    }
    for (const { level, index, bytes } of rows.tiles) this.#tx.put(tables.tile, this.tileId(level, index), bytes);
    this.#tx.put(tables.mark, this.id(utf8("tree")), rows.state);
  }

  putMark(name: Exclude<MarkName, "tree">, value: Uint8Array): void {
    this.#tx.put(tables.mark, this.id(utf8(name)), value);
  }
}
