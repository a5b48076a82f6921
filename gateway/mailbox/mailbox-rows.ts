import type { Transaction, View } from "../../agent/store/index.ts";
import {
  asBoolean,
  asBytes,
  asBytesUpTo,
  asTuple,
  asUint,
  concat,
  decodeTcbor,
  encodeTcbor,
  orNull,
  type Tcbor,
  u64be,
} from "../../protocol/base/index.ts";
import type { StreamHead } from "../../protocol/bundle/index.ts";
import { maxCarrierBytes } from "../../protocol/envelope/index.ts";
import type { Way } from "./passing-item.ts";

const stateTable = "mailbox";
const itemTable = "mailbox-item";
const nodeIdBytes = 20;

/** One edge and direction. */
export interface MailboxName {
  readonly edge: Uint8Array;
  readonly way: Way;
}

/** What a mailbox holds, without the items. */
export interface MailboxState {
  readonly items: number;
  readonly bytes: number;
  /** Highest item from which on nothing is missing; what the sender need not send again. */
  readonly head: StreamHead | null;
  /** The newest snapshot that was stored: what lies before it is needed no more. */
  readonly snapshot: StreamHead | null;
  /** What the recipient acknowledged by its own signature. */
  readonly acknowledged: StreamHead | null;
}

/** An item as it lies in its mailbox. */
export interface StoredItem {
  readonly place: StreamHead;
  readonly snapshot: boolean;
  readonly carrier: Uint8Array;
}

interface Place {
  readonly epoch: number;
  readonly seq: number;
}

const emptyMailbox: MailboxState = { items: 0, bytes: 0, head: null, snapshot: null, acknowledged: null };

/** Below zero where `a` comes before `b`. */
export function comparePlaces(a: Place, b: Place): number {
  return a.epoch - b.epoch || a.seq - b.seq;
}

export function readMailbox(view: View, name: MailboxName): MailboxState {
  const row = view.get(stateTable, nameId(name));
  return row === null ? emptyMailbox : decodeState(row);
}

export function writeMailbox(tx: Transaction, name: MailboxName, state: MailboxState): void {
  const { items, bytes, head, snapshot, acknowledged } = state;
  tx.put(stateTable, nameId(name), encodeTcbor([items, bytes, ...[head, snapshot, acknowledged].map(headToTcbor)]));
}

/** Every mailbox that ever held something. */
export function readMailboxes(view: View, limit: number): (MailboxName & { readonly state: MailboxState })[] {
  return view.scan(stateTable, { limit }).map(({ id, value }) => ({ ...nameOf(id), state: decodeState(value) }));
}

export function readItem(view: View, name: MailboxName, place: Place): StoredItem | null {
  const row = view.get(itemTable, itemId(name, place));
  return row === null ? null : decodeItem(place, row);
}

export function writeItem(tx: Transaction, name: MailboxName, item: StoredItem): void {
  tx.put(itemTable, itemId(name, item.place), encodeTcbor([item.place.id, item.snapshot, item.carrier]));
}

/** Items after a place, oldest first. */
export function readItems(view: View, name: MailboxName, after: Place | null, limit: number): StoredItem[] {
  const prefix = nameId(name);
  // The id that follows on it; a peer may tell the highest number that there is.
  const from = after === null ? prefix : concat(itemId(name, after), Uint8Array.of(0));
  return view.scan(itemTable, { prefix, from, limit }).map(({ id, value }) => decodeItem(placeOf(id), value));
}

/** Deletes the items below or, where `included`, up to a place; how many items and bytes went. */
export function deleteItems(
  tx: Transaction,
  name: MailboxName,
  below: Place,
  included: boolean,
): { readonly items: number; readonly bytes: number } {
  let [items, bytes] = [0, 0];
  for (;;) {
    const [first] = readItems(tx, name, null, 1);
    if (first === undefined) return { items, bytes };
    const order = comparePlaces(first.place, below);
    if (order > 0 || (order === 0 && !included)) return { items, bytes };
    tx.delete(itemTable, itemId(name, first.place));
    items += 1;
    bytes += first.carrier.length;
  }
}

/** Deletes a mailbox with all that is in it. */
export function deleteMailbox(tx: Transaction, name: MailboxName): void {
  deleteItems(tx, name, { epoch: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER }, true);
  tx.delete(stateTable, nameId(name));
}

function decodeState(row: Uint8Array): MailboxState {
  const [items, bytes, head, snapshot, acknowledged] = asTuple(decodeTcbor(row), "mailbox", 5);
  return {
    items: asUint(items, "mailbox.items"),
    bytes: asUint(bytes, "mailbox.bytes"),
    head: orNull(head, headFromTcbor),
    snapshot: orNull(snapshot, headFromTcbor),
    acknowledged: orNull(acknowledged, headFromTcbor),
  };
}

function decodeItem(place: Place, row: Uint8Array): StoredItem {
  const [id, snapshot, carrier] = asTuple(decodeTcbor(row), "mailbox item", 3);
  return {
    place: { ...place, id: asBytes(id, "item.id", 32) },
    snapshot: asBoolean(snapshot, "item.snapshot"),
    carrier: asBytesUpTo(carrier, "item.carrier", maxCarrierBytes),
  };
}

function headToTcbor(head: StreamHead | null): Tcbor {
  return head === null ? null : [head.epoch, head.seq, head.id];
}

function headFromTcbor(value: Tcbor): StreamHead {
  const [epoch, seq, id] = asTuple(value, "head", 3);
  return { epoch: asUint(epoch, "head.epoch"), seq: asUint(seq, "head.seq"), id: asBytes(id, "head.id", 32) };
}

/** A row id begins with the edge's id (20 bytes) and the way (1). */
function nameId({ edge, way }: MailboxName): Uint8Array {
  return concat(edge, Uint8Array.of(way === "down" ? 0 : 1));
}

function nameOf(id: Uint8Array): MailboxName {
  return { edge: id.slice(0, nodeIdBytes), way: id[nodeIdBytes] === 0 ? "down" : "up" };
}

function itemId(name: MailboxName, place: Place): Uint8Array {
  return concat(nameId(name), u64be(place.epoch), u64be(place.seq));
}

function placeOf(id: Uint8Array): Place {
  const view = new DataView(id.buffer, id.byteOffset + nodeIdBytes + 1, 16);
  return { epoch: Number(view.getBigUint64(0)), seq: Number(view.getBigUint64(8)) };
}
