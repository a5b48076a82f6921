import type { VaultTransaction } from "../store/index.ts";
import type { VaultCore } from "../streams/index.ts";
import { restoredMark, type Voided, voidOutstanding } from "./void-outstanding.ts";

/**
 * Makes a store that came out of a backup harmless until a root raises its epoch: nothing is issued to any node, no value is drawn, and
 * what stood open is void.
 */
export async function markRestored(
  core: VaultCore,
  tx: VaultTransaction,
  options: { readonly keepTokens: boolean },
): Promise<Voided> {
  const voided = await voidOutstanding(core, tx, options);
  await tx.updateTable("nodes").set({ state: "behind" }).where("state", "=", "active").execute();
  await tx.updateTable("accounts").set({ unsettled: 1 }).where("next_number", ">", 0).execute();
  await tx
    .insertInto("settings")
    .values({ name: restoredMark, value: Uint8Array.of(1) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return voided;
}
