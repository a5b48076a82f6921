import { decodeEntryBundle, encodeEntryBundle, tileWidth } from "../../protocol/audit/index.ts";
import {
  asBytes,
  asTuple,
  asUint,
  concat,
  decodeTcbor,
  encodeTcbor,
  sameBytes,
  u32be,
  u64be,
  utf8,
} from "../../protocol/base/index.ts";
import { identityTable } from "../identity/index.ts";
import type { Row, Transaction, View } from "../store/index.ts";
import type { AuditRead, AuditStorage, AuditWrite, EpochKey, MarkName } from "./storage.ts";

/**
 * A log in the node's sealed store. 256 leaves that fill an entry bundle become one row, so that a log of a million leaves is four
 * thousand rows; of the leaves after the last full bundle those that one commit brings share rows, for sealing a row costs more than a
 * leaf.
 */
export function storeStorage(serial: number): AuditStorage<View, Transaction> {
  const last: LastPart = { tx: null, first: 0, next: 0, bytes: new Uint8Array(0) };
  return { read: (view) => new Reading(view, serial), write: (tx) => new Writing(tx, serial, last) };
}

/** The part that was put last, and in which transaction: only within that one it may grow. */
interface LastPart {
  tx: Transaction | null;
  /** Its first leaf, and the one that comes after it. */
  first: number;
  next: number;
  bytes: Uint8Array;
}

/** Leaves of a part that still grows: each time it is copied. */
const maxGrowingPart = 16;

const treeMark = utf8("tree");

const tables = { part: "audit-part", bundle: "audit-bundle", tile: "audit-tile", mark: "audit-mark" } as const;

class Reading implements AuditRead {
  readonly #view: View;
  protected readonly prefix: Uint8Array;

  constructor(view: View, serial: number) {
    this.#view = view;
    this.prefix = u32be(serial);
  }

  mark(name: MarkName): Uint8Array | null {
    return this.#view.get(tables.mark, this.id(name === "tree" ? treeMark : utf8(name)));
  }

  leaves(from: number, limit: number): Uint8Array[] {
    const leaves: Uint8Array[] = [];
    while (leaves.length < limit) {
      const at = from + leaves.length;
      const bundle = this.#view.get(tables.bundle, this.id(u64be(Math.floor(at / tileWidth))));
      if (bundle === null) {
        leaves.push(...this.tail(at).slice(0, limit - leaves.length));
        break;
      }
      leaves.push(...decodeEntryBundle(bundle).slice(at % tileWidth, (at % tileWidth) + limit - leaves.length));
    }
    return leaves;
  }

  tile(level: number, index: number): Uint8Array | null {
    return this.#view.get(tables.tile, this.tileId(level, index));
  }

  epochKey(): EpochKey | null {
    const row = this.#view.get(identityTable, this.epochKeyId());
    if (row === null) return null;
    const [number, seed] = asTuple(decodeTcbor(row), "epoch key", 2);
    return { number: asUint(number, "epoch"), seed: asBytes(seed, "epoch seed", 32).slice() };
  }

  /** Among the keys of the node, whose table the store erases for good. */
  protected epochKeyId(): Uint8Array {
    return concat(utf8("audit-epoch/"), this.prefix);
  }

  /** Leaves from `from` on, all of them after the last full bundle. */
  protected tail(from: number): Uint8Array[] {
    const begin = from - (from % tileWidth);
    const rows = this.parts(begin);
    // Where the bundle was freed the next parts are those of another one.
    const first = rows[0]?.id;
    if (first === undefined || !sameBytes(first, this.id(u64be(begin)))) return [];
    return rows.flatMap((row) => decodeEntryBundle(row.value)).slice(from - begin);
  }

  /** Parts of the bundle that begins with leaf `begin`, named by their first leaf. */
  protected parts(begin: number): Row[] {
    return this.#view.scan(tables.part, { prefix: this.prefix, from: this.id(u64be(begin)), limit: tileWidth });
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

  readonly #last: LastPart;

  constructor(tx: Transaction, serial: number, last: LastPart) {
    super(tx, serial);
    this.#tx = tx;
    this.#last = last;
  }

  append(rows: Parameters<AuditWrite["append"]>[0]): void {
    let at = rows.first;
    for (let taken = 0; taken < rows.leaves.length; ) {
      const begin = at - (at % tileWidth);
      const leaves = rows.leaves.slice(taken, taken + begin + tileWidth - at);
      if (at + leaves.length < begin + tileWidth) this.#putPart(at, leaves);
      else this.#fill(begin, at === begin ? [] : this.parts(begin), leaves);
      taken += leaves.length;
      at += leaves.length;
    }
    for (const { level, index, bytes } of rows.tiles) this.#tx.put(tables.tile, this.tileId(level, index), bytes);
    this.#tx.put(tables.mark, this.id(treeMark), rows.state);
  }

  /** Adds leaves to the part that this transaction put last, or puts a new one. */
  #putPart(at: number, leaves: readonly Uint8Array[]): void {
    const { tx, first, next, bytes } = this.#last;
    // Where it was taken back meanwhile, the leaves are fewer than there were with it.
    const grows = tx === this.#tx && next === at && at % tileWidth !== 0 && at - first < maxGrowingPart;
    const added = encodeEntryBundle(leaves);
    const part = {
      tx: this.#tx,
      first: grows ? first : at,
      next: at + leaves.length,
      bytes: grows ? concat(bytes, added) : added,
    };
    this.#tx.put(tables.part, this.id(u64be(part.first)), part.bytes);
    Object.assign(this.#last, part);
  }

  /** Puts a full bundle of the parts that are there and the leaves that were missing; the parts go. */
  #fill(begin: number, parts: readonly Row[], leaves: readonly Uint8Array[]): void {
    const bundle = encodeEntryBundle([...parts.flatMap((row) => decodeEntryBundle(row.value)), ...leaves]);
    this.#tx.put(tables.bundle, this.id(u64be(begin / tileWidth)), bundle);
    for (const { id } of parts) this.#tx.delete(tables.part, id);
  }

  putMark(name: Exclude<MarkName, "tree">, value: Uint8Array): void {
    this.#tx.put(tables.mark, this.id(utf8(name)), value);
  }

  free(from: number, to: number): void {
    for (let at = from; at < to; at += tileWidth) this.#tx.delete(tables.bundle, this.id(u64be(at / tileWidth)));
  }

  putEpochKey({ number, seed }: EpochKey): void {
    this.#tx.put(identityTable, this.epochKeyId(), encodeTcbor([number, seed]));
  }
}
