import type { VerifiedBundle } from "../../protocol/bundle/index.ts";
import type { VaultTransaction } from "../store/index.ts";

/** Keeps the candidates that a report carries, sealed to the recovery key, with the context that opening them needs. */
export async function storeEscrow(
  tx: VaultTransaction,
  item: { nodeId: Uint8Array; verified: VerifiedBundle; escrow: Uint8Array; nowMs: number },
): Promise<void> {
  const { header, context } = item.verified;
  await tx
    .insertInto("escrows")
    .values({
      node_id: item.nodeId,
      epoch: header.vaultEpoch,
      seq: header.seq,
      received_at: item.nowMs,
      context,
      escrow: item.escrow,
      learned: 0,
    })
    .execute();
}

/** Keeps a report that arrived ahead of a gap. */
export async function storeHeld(tx: VaultTransaction, nodeId: Uint8Array, id: Uint8Array, carrier: Uint8Array): Promise<void> {
  await tx
    .insertInto("held_reports")
    .values({ node_id: nodeId, id, carrier })
    .onConflict((conflict) => conflict.columns(["node_id", "id"]).doNothing())
    .execute();
}

/** The kept report that is due now, or null. */
export async function heldCarrier(tx: VaultTransaction, nodeId: Uint8Array, id: Uint8Array): Promise<Uint8Array | null> {
  const row = await tx
    .selectFrom("held_reports")
    .select("carrier")
    .where("node_id", "=", nodeId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row?.carrier ?? null;
}

/** Removes a kept report; also where there is none. */
export async function removeHeld(tx: VaultTransaction, nodeId: Uint8Array, id: Uint8Array): Promise<void> {
  await tx.deleteFrom("held_reports").where("node_id", "=", nodeId).where("id", "=", id).execute();
}
