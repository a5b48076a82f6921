import { decodeHead } from "../../agent/audit/index.ts";
import type { LogHead } from "../../protocol/audit/index.ts";
import type { VaultTransaction } from "../store/index.ts";

/** The largest size of our log that any node proved and holds. */
export async function anchoredSize(tx: VaultTransaction, serial: number): Promise<number> {
  return (await newestAnchor(tx, serial))?.size ?? 0;
}

/** The newest head of our log that any node proved and holds; null where none does. */
export async function newestAnchor(tx: VaultTransaction, serial: number): Promise<LogHead | null> {
  const rows = await tx.selectFrom("streams").select("our_head").where("our_head", "is not", null).execute();
  const heads = rows.map((row) => decodeHead(row.our_head)).filter((head) => head !== null && head.serial === serial);
  return heads.reduce<LogHead | null>((top, head) => (head !== null && head.size > (top?.size ?? 0) ? head : top), null);
}

/** The newest head of each node's log that was cosigned. */
export async function cosignedHeads(tx: VaultTransaction): Promise<{ name: string; note: Uint8Array }[]> {
  const rows = await tx.selectFrom("audit_marks").select(["name", "value"]).where("name", "like", "cosigned/%").execute();
  return rows.map(({ name, value }) => ({ name: name.slice("cosigned/".length), note: value }));
}

/** The head of our log that this node proved and holds. */
export async function provenByNode(tx: VaultTransaction, nodeId: Uint8Array): Promise<LogHead | null> {
  const row = await tx.selectFrom("streams").select("our_head").where("node_id", "=", nodeId).executeTakeFirst();
  return decodeHead(row?.our_head ?? null);
}
