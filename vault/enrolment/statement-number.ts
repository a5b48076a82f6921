import { newestRoot, type TrustState } from "../../protocol/trust/index.ts";
import type { VaultTransaction } from "../store/index.ts";

/** Numbers of statements that belong to one vault epoch: more of a kind than a vault ever signs in it. */
const numbersAnEpoch = 1_000_000;

/**
 * The highest number that a kind of statement may have been given, the serial of a node or the version of the revoked list, where this store
 * knows of `known`. A vault that came out of a backup does not know how far it had counted, and every node refuses a second statement of
 * one number for ever: so each epoch begins above all numbers of the one before, and a store that waits for its next epoch counts in that
 * one already.
 */
export async function highestStatementNumber(tx: VaultTransaction, trust: TrustState, known: number): Promise<number> {
  const { vaultEpoch } = newestRoot(trust).document;
  const behind = await tx.selectFrom("nodes").select("node_id").where("state", "=", "behind").limit(1).executeTakeFirst();
  const epochsBefore = behind === undefined ? vaultEpoch - 1 : vaultEpoch;
  return Math.max(known, epochsBefore * numbersAnEpoch);
}
