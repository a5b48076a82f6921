import { changedKeys, configurationText } from "../agent/config/index.ts";
import { utf8 } from "../protocol/base/index.ts";
import type { VaultCore } from "./streams/index.ts";

const setting = "configuration";

/** Says in the log which keys of the configuration are others than at the last start; the values stay out of it. */
export async function noteConfiguration({ store, log }: Pick<VaultCore, "store" | "log">, config: object): Promise<void> {
  const now = configurationText(config);
  await store.transaction(async (tx) => {
    const stored = await tx.selectFrom("settings").select("value").where("name", "=", setting).executeTakeFirst();
    const before = stored === undefined ? null : Buffer.from(stored.value).toString("utf8");
    if (before === now) return;
    const value = utf8(now);
    await tx
      .insertInto("settings")
      .values({ name: setting, value })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
      .execute();
    if (before === null) return;
    await log.append(tx, {
      action: "configuration.change",
      actor: { kind: "operator", id: "local" },
      subject: { kind: "configuration", id: "tidegate.yaml" },
      outcome: "ok",
      details: { field: changedKeys(before, now) },
    });
  });
}
