import { assert, fromHex, u32be } from "../../protocol/base/index.ts";
import { decodeEntry, type Entry, type EntryMap, type EntryRef, entryKey, entryMap } from "../../protocol/bundle/index.ts";
import type { Row, Transaction, View } from "../store/index.ts";
import { nodeLimits } from "./limits.ts";

const table = "entry";

/** All entries on the node's disk. */
export function loadEntries(view: View): EntryMap {
  return entryMap(decodeRows(view));
}

/** The entries of one type, read as they are asked for. */
export function loadEntriesOfType(view: View, type: number): Generator<Entry> {
  // A row id is the entry's type (two bytes) and id (16).
  return decodeRows(view, u32be(type).subarray(2));
}

/** One entry, or null. */
export function loadEntry(view: View, ref: EntryRef): Entry | null {
  const row = view.get(table, rowIdOf(entryKey(ref)));
  return row === null ? null : decodeEntry(row);
}

/** Stores an entry. */
export function putEntryRow(tx: Transaction, entry: Entry): void {
  tx.put(table, rowIdOf(entry.key), entry.bytes);
}

/** Takes an entry off the disk; one that is not there is no error. */
export function deleteEntryRow(tx: Transaction, entry: Entry): void {
  tx.delete(table, rowIdOf(entry.key));
}

export function countEntries(view: View): number {
  return view.count(table);
}

function* decodeRows(view: View, prefix: Uint8Array = new Uint8Array(0)): Generator<Entry> {
  for (const { value } of everyRow(view, table, prefix)) {
    const entry = decodeEntry(value);
    // The entry holds copies.
    value.fill(0);
    yield entry;
  }
}

/** All rows whose id begins with `prefix`, read in steps. */
export function* everyRow(view: View, name: string, prefix: Uint8Array = new Uint8Array(0)): Generator<Row> {
  let from: Uint8Array | undefined;
  for (;;) {
    const limit = nodeLimits.scanRows;
    const rows = view.scan(name, from === undefined ? { prefix, limit } : { prefix, from, limit: limit + 1 });
    const fresh = from === undefined ? rows : rows.slice(1);
    yield* fresh;
    const last = fresh.at(-1);
    if (last === undefined || fresh.length < limit) return;
    from = last.id;
  }
}

/** An entry's key as a row id. */
export function rowIdOf(key: string): Uint8Array {
  const id = fromHex(key);
  assert(id !== null, "an entry's key is hexadecimal");
  return id;
}
