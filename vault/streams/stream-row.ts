import { concat } from "../../protocol/base/index.ts";
import {
  decodeEntry,
  decodeReceiver,
  decodeSender,
  type Entry,
  type EntryMap,
  encodeReceiver,
  encodeSender,
  entryMap,
  type ReceiverState,
  type SenderState,
} from "../../protocol/bundle/index.ts";
import type { ColumnSeal } from "../master-key/index.ts";
import type { VaultTransaction } from "../store/index.ts";

/** Both ends that the vault has of its streams with one node. */
export interface NodeStreams {
  readonly sender: SenderState;
  readonly receiver: ReceiverState;
  readonly answered: Uint8Array | null;
  /** Version of the newest revoked list that an issued bundle brought; 0 for none. */
  readonly revokedSent: number;
}

/** The streams as they were locked. */
export interface LockedStreams extends NodeStreams {
  /** Stands while a change waits to be issued, see ExportPace. */
  readonly putOff: Uint8Array | null;
}

/** Reads a node's streams to change them: the row is locked against every other transaction until this one ends. */
export async function lockStreams(tx: VaultTransaction, nodeId: Uint8Array): Promise<LockedStreams> {
  const row = await tx
    .updateTable("streams")
    .set((eb) => ({ turn: eb("turn", "+", 1) }))
    .where("node_id", "=", nodeId)
    .returningAll()
    .executeTakeFirstOrThrow();
  const { answered, revoked_sent: revokedSent, put_off: putOff } = row;
  return { sender: decodeSender(row.sender), receiver: decodeReceiver(row.receiver), answered, revokedSent, putOff };
}

/** Writes what {@link lockStreams} read, changed. */
export async function saveStreams(tx: VaultTransaction, nodeId: Uint8Array, streams: NodeStreams): Promise<void> {
  await tx
    .updateTable("streams")
    .set({
      sender: encodeSender(streams.sender),
      receiver: encodeReceiver(streams.receiver),
      answered: streams.answered,
      revoked_sent: streams.revokedSent,
    })
    .where("node_id", "=", nodeId)
    .execute();
}

/** The streams of a new node. */
export async function startStreams(tx: VaultTransaction, nodeId: Uint8Array, streams: NodeStreams): Promise<void> {
  await tx
    .insertInto("streams")
    .values({
      node_id: nodeId,
      turn: 0,
      sender: encodeSender(streams.sender),
      receiver: encodeReceiver(streams.receiver),
      answered: streams.answered,
      revoked_sent: streams.revokedSent,
      our_head: null,
      put_off: null,
    })
    .execute();
}

/** The state that the node has after everything that was issued to it. */
export async function exportedEntries(seal: ColumnSeal, tx: VaultTransaction, nodeId: Uint8Array): Promise<EntryMap> {
  const rows = await tx.selectFrom("stream_entries").selectAll().where("node_id", "=", nodeId).execute();
  return entryMap(rows.map((row) => decodeEntry(seal.open(entryPlace(nodeId, row), row.entry_sealed))));
}

/** Stores the entries that are other than before, and removes those that are gone. */
export async function saveExported(
  seal: ColumnSeal,
  tx: VaultTransaction,
  nodeId: Uint8Array,
  change: { before: EntryMap; after: EntryMap },
): Promise<void> {
  for (const entry of change.before.values()) if (!change.after.has(entry.key)) await remove(tx, nodeId, entry);
  for (const entry of change.after.values()) {
    if (change.before.get(entry.key) === entry) continue;
    const entry_sealed = seal.seal(entryPlace(nodeId, entry), entry.bytes);
    await tx
      .insertInto("stream_entries")
      .values({ node_id: nodeId, type: entry.type, id: entry.id, entry_sealed })
      .onConflict((conflict) => conflict.columns(["node_id", "type", "id"]).doUpdateSet({ entry_sealed }))
      .execute();
  }
}

async function remove(tx: VaultTransaction, nodeId: Uint8Array, entry: Entry): Promise<void> {
  await tx
    .deleteFrom("stream_entries")
    .where("node_id", "=", nodeId)
    .where("type", "=", entry.type)
    .where("id", "=", entry.id)
    .execute();
}

function entryPlace(nodeId: Uint8Array, entry: { type: number; id: Uint8Array }) {
  return {
    table: "stream_entries",
    row: concat(nodeId, Uint8Array.of(entry.type >> 8, entry.type & 0xff), entry.id),
    column: "entry",
  };
}
