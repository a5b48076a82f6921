import { nodeRole } from "../../protocol/trust/index.ts";
import type { VaultTransaction } from "../store/index.ts";

/** Ids of the gateways that `name` means: those that were replaced, where there are any, else the one in use. */
export async function exposedNodes(tx: VaultTransaction, name: string): Promise<Uint8Array[]> {
  const named = await tx
    .selectFrom("nodes")
    .select(["node_id", "state"])
    .where("name", "=", name)
    .where("role", "=", nodeRole.gateway)
    .execute();
  const replaced = named.filter(({ state }) => state === "replaced");
  return (replaced.length > 0 ? replaced : named).map((node) => node.node_id);
}
