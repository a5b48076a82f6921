import { toHex } from "../../protocol/base/index.ts";
import { listRuns, runOf, stop } from "../fleet/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { registryOf, type VaultCore } from "../streams/index.ts";

/** What a restored vault takes back: nobody can say what became of it after the backup. */
export interface Voided {
  readonly codes: number;
  readonly leases: number;
  readonly orders: number;
  /** Names of the applications whose token is void: one that was taken back after the backup would be good again. */
  readonly tokens: readonly string[];
}

/** The setting that says: restored, and the epoch not raised yet. */
export const restoredMark = "restored";

/**
 * Voids the codes, leases, orders, fleet rotations and, unless they are to be kept, application tokens that stand open. A lease's end
 * stays an order that its edge carries out.
 */
export async function voidOutstanding(
  core: VaultCore,
  tx: VaultTransaction,
  options: { readonly keepTokens: boolean },
): Promise<Voided> {
  const nowMs = core.clock.wallMs();
  const registry = await registryOf(core, tx);
  for (const run of await listRuns(tx)) {
    if (run.state === "running") await stop(registry, tx, await runOf(tx, run.run_id, nowMs));
  }
  // One that was given out before may have been used after the backup.
  const codes = await tx
    .updateTable("codes")
    .set({ burned_at: nowMs })
    .where("burned_at", "is", null)
    .returning("code_id")
    .execute();
  for (const { code_id } of codes) {
    await core.log.append(tx, {
      action: "code.burn",
      actor: { kind: "node", id: "vault" },
      subject: { kind: "code", id: toHex(code_id) },
      outcome: "ok",
      details: { reason: "restore" },
    });
  }
  const leases = await tx
    .updateTable("access_leases")
    .set({ revoked_at: nowMs })
    .where("revoked_at", "is", null)
    .where("not_after", ">=", Math.floor(nowMs / 1000))
    .executeTakeFirst();
  const orders = await tx
    .updateTable("orders")
    .set({ state: "done", outcome: "withdrawn", code: "ORDER_WITHDRAWN", finished_at: nowMs })
    .where("state", "=", "open")
    .where("lease_id", "is", null)
    .executeTakeFirst();
  const tokens = options.keepTokens
    ? []
    : await tx
        .updateTable("applications")
        .set({ token_hash: null })
        .where("token_hash", "is not", null)
        .returning("name")
        .execute();
  return {
    codes: codes.length,
    leases: Number(leases.numUpdatedRows),
    orders: Number(orders.numUpdatedRows),
    tokens: tokens.map(({ name }) => name).sort(),
  };
}
