import type { Entry } from "../../protocol/bundle/index.ts";
import { entryType, readContent } from "../../protocol/content/index.ts";
import type { VaultTransaction } from "../store/index.ts";

/** Notes which versions a gateway is given with these entries: what it could have read stays known when it is taken over. */
export async function noteExposures(tx: VaultTransaction, nodeId: Uint8Array, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    if (entry.type !== entryType.credential) continue;
    const read = readContent(entry);
    if (!("content" in read) || read.content.kind !== "credential") continue;
    const { accountId, index } = read.content;
    await tx
      .insertInto("exposures")
      .values({ node_id: nodeId, account_id: accountId, epoch: index.epoch, number: index.number })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}
