import { nodeRole } from "../../protocol/trust/index.ts";
import type { AccountRow, NodeRow, VaultTransaction } from "../store/index.ts";

/** The account where this node speaks for it, as only an edge does for those of its zone; else null. */
export async function accountOfNode(tx: VaultTransaction, node: NodeRow, accountId: Uint8Array): Promise<AccountRow | null> {
  if (node.role !== nodeRole.edge) return null;
  const account = await tx.selectFrom("accounts").selectAll().where("account_id", "=", accountId).executeTakeFirst();
  return account?.path.startsWith(`${node.zone}/`) === true ? account : null;
}
