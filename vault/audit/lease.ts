import type { VaultTransaction } from "../store/index.ts";

/** Holder of leases among processes on one data folder, whose lock lets only one run at a time. */
export const dataFolderHolder = "data-folder";

/** Takes or renews a lease among the processes on one store; false while another process holds it. */
export async function takeLease(
  tx: VaultTransaction,
  lease: { name: string; holder: string; nowMs: number; forMs: number },
): Promise<boolean> {
  const until_ms = lease.nowMs + lease.forMs;
  await tx
    .insertInto("leases")
    .values({ name: lease.name, holder: lease.holder, until_ms: 0 })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
  const taken = await tx
    .updateTable("leases")
    .set({ holder: lease.holder, until_ms })
    .where("name", "=", lease.name)
    .where((eb) => eb.or([eb("holder", "=", lease.holder), eb("until_ms", "<=", lease.nowMs)]))
    .returning("name")
    .executeTakeFirst();
  return taken !== undefined;
}
