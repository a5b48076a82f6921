import { decodeEntryBundle, encodeEntryBundle, tileWidth } from "../../protocol/audit/index.ts";
import { asBytes, asTuple, asUint, concat, decodeTcbor, encodeTcbor, u32be, u64be, utf8 } from "../../protocol/base/index.ts";
import { identityTable } from "../identity/index.ts";
import type { Row, Transaction, View } from "../store/index.ts";
import { packBundle, unpackBundle } from "./packed-bundle.ts";
import type { AuditRead, AuditStorage, AuditWrite, EpochKey, MarkName } from "./storage.ts";

/**
 * A log in the node's sealed store. A row holds many leaves, for sealing a row costs more than a leaf: a full entry bundle where one commit
 * fills it, else a part of one, which is what a commit brings of it; a large one is compressed. A bundle of more than a few parts becomes one
 * row when it is full, so that a log of a million leaves is some thousands of rows.
 */
export function storeStorage(serial: number): AuditStorage<View, Transaction> {
  const last: LastPart = { tx: null, first: 0, next: 0, parts: 0, bytes: new Uint8Array(0) };
  return { read: (view) => new Reading(view, serial), write: (tx) => new Writing(tx, serial, last) };
}

/** The part that was put last, and in which transaction: only within that one it may grow. */
interface LastPart {
  tx: Transaction | null;
  /** Its first leaf, and the one that comes after it. */
  first: number;
  next: number;
  /** How many parts its bundle has, this one counted; null where that is not known. */
  parts: number | null;
  bytes: Uint8Array;
}

/** Parts that a full bundle is left in: to put them together writes it twice. */
const maxPartsKept = 4;

/** Leaves of a part that still grows: each time it is copied. */
const maxGrowingPart = 16;

/** A full bundle of leaves of a usual size fits; made for the first one. */
const maxKeptRoom = 128 * 1024;
let bundleRoom: Buffer | undefined;

const treeMark = utf8("tree");

/** The table of a log's marks, which tell nothing secret; each append reads one. */
export const auditMarkTable = "audit-mark";

const tables = { part: "audit-part", bundle: "audit-bundle", tile: "audit-tile", mark: auditMarkTable } as const;

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
      const stored = this.#bundleOf(Math.floor(at / tileWidth));
      const wanted = stored.slice(at % tileWidth, (at % tileWidth) + limit - leaves.length);
      leaves.push(...wanted);
      if (stored.length < tileWidth || wanted.length === 0) break;
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

  /** The leaves of a bundle that are there. */
  #bundleOf(index: number): Uint8Array[] {
    const whole = this.#view.get(tables.bundle, this.id(u64be(index)));
    return whole === null ? this.parts(index).flatMap(leavesOf) : leavesOf({ value: whole });
  }

  /** Parts of a bundle, named by it and the place of their first leaf in it. */
  protected parts(index: number): Row[] {
    return this.#view.scan(tables.part, { prefix: this.id(u64be(index)), limit: tileWidth });
  }

  protected partId(first: number): Uint8Array {
    return this.id(concat(u64be(Math.floor(first / tileWidth)), Uint8Array.of(first % tileWidth)));
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
      const leaves = rows.leaves.slice(taken, taken + tileWidth - (at % tileWidth));
      if (leaves.length === tileWidth) this.#putBundle(at, leaves);
      else if ((at + leaves.length) % tileWidth > 0 || this.#partsBefore(at) < maxPartsKept) this.#putPart(at, leaves);
      else this.#fill(at, leaves);
      taken += leaves.length;
      at += leaves.length;
    }
    for (const { level, index, bytes } of rows.tiles) this.#tx.put(tables.tile, this.tileId(level, index), bytes);
    this.#tx.put(tables.mark, this.id(treeMark), rows.state);
  }

  /** Adds leaves to the part that this transaction put last, or puts a new one. */
  #putPart(at: number, leaves: readonly Uint8Array[]): void {
    const { tx, first, parts, bytes } = this.#last;
    const grows = tx === this.#tx && this.#follows(at) && at - first < maxGrowingPart;
    const added = encodeEntryBundle(leaves);
    const before = this.#partsBefore(at);
    const part = {
      tx: this.#tx,
      first: grows ? first : at,
      next: at + leaves.length,
      parts: grows ? parts : Number.isFinite(before) ? before + 1 : null,
      bytes: grows ? concat(bytes, added) : added,
    };
    this.#tx.put(tables.part, this.partId(part.first), packBundle(part.bytes));
    Object.assign(this.#last, part);
  }

  /** True where the part that was put last ends here, in the middle of a bundle. What was taken back meanwhile left fewer leaves than it had. */
  #follows(at: number): boolean {
    return this.#last.next === at && at % tileWidth > 0;
  }

  /** How many parts the bundle has before the leaf at `at`; infinitely many where that is not known. */
  #partsBefore(at: number): number {
    if (at % tileWidth === 0) return 0;
    return (this.#follows(at) ? this.#last.parts : null) ?? Number.POSITIVE_INFINITY;
  }

  /** Puts a full bundle of the parts that are there and the leaves that were missing; the parts go. */
  #fill(at: number, leaves: readonly Uint8Array[]): void {
    const parts = this.parts(Math.floor(at / tileWidth));
    this.#putBundle(at, [...parts.flatMap(leavesOf), ...leaves]);
    for (const { id } of parts) this.#tx.delete(tables.part, id);
  }

  #putBundle(at: number, leaves: readonly Uint8Array[]): void {
    this.#tx.put(
      tables.bundle,
      this.id(u64be(Math.floor(at / tileWidth))),
      packBundle(encodeEntryBundle(leaves, roomForBundle())),
    );
  }

  putMark(name: Exclude<MarkName, "tree">, value: Uint8Array): void {
    this.#tx.put(tables.mark, this.id(utf8(name)), value);
  }

  free(from: number, to: number): void {
    for (let index = from / tileWidth; index < to / tileWidth; index += 1) {
      if (this.#tx.delete(tables.bundle, this.id(u64be(index)))) continue;
      for (const { id } of this.parts(index)) this.#tx.delete(tables.part, id);
    }
  }

  putEpochKey({ number, seed }: EpochKey): void {
    this.#tx.put(identityTable, this.epochKeyId(), encodeTcbor([number, seed]));
  }
}

function leavesOf({ value }: Pick<Row, "value">): Uint8Array[] {
  return decodeEntryBundle(unpackBundle(value));
}

/** Good until the next bundle, for a transaction keeps a copy: to get new memory of that size takes longer than to write the bundle. */
function roomForBundle(): Buffer {
  bundleRoom ??= Buffer.allocUnsafeSlow(maxKeptRoom);
  return bundleRoom;
}
