import { decodePosition, encodePosition, gapEvent, type LeafFeed } from "../../agent/forward/index.ts";
import { type LogName, originOf } from "../../protocol/audit/index.ts";
import type { VaultStore, VaultTransaction } from "../store/index.ts";
import type { VaultAuditLog } from "./vault-log.ts";

/** The vault's audit log for collectors of events; positions lie in the vault's own store. */
export function vaultFeed(store: VaultStore, audit: VaultAuditLog, name: LogName): LeafFeed {
  const source = audit.asSource();
  const row = (target: string) => `forward/${name.serial}/${target}`;
  return {
    origin: originOf(name),
    size: async () => (await source.head()).size,
    // A transaction of this store is on the disk when it ends.
    settled: async () => {},
    leaves: (from, limit) => source.leaves(from, limit),
    position: (target) => store.read((tx) => readPosition(tx, row(target))),
    savePosition: (target, next) => store.transaction((tx) => putPosition(tx, row(target), next)),
    savePast: (gap) =>
      store.transaction(async (tx) => {
        await audit.append(tx, gapEvent(name.node, gap));
        await putPosition(tx, row(gap.target), gap.from + gap.count);
      }),
  };
}

async function readPosition(tx: VaultTransaction, name: string): Promise<number | null> {
  const row = await tx.selectFrom("settings").select("value").where("name", "=", name).executeTakeFirst();
  return decodePosition(row?.value ?? null);
}

async function putPosition(tx: VaultTransaction, name: string, next: number): Promise<void> {
  const value = encodePosition(next);
  await tx
    .insertInto("settings")
    .values({ name, value })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
    .execute();
}
