import { nodeRole } from "../../protocol/trust/index.ts";
import { activeNodes } from "../registry/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { issueBundle } from "./issue-bundle.ts";
import type { VaultCore } from "./vault-core.ts";

/**
 * Issues to every node that a change may concern: the gateways, and the edges of `zone` (all edges where it is null). Returns the ids of
 * those that have something new to fetch. Part of the changing transaction, so that nothing is promised that is not on its way.
 */
export async function exportNodes(core: VaultCore, tx: VaultTransaction, zone: string | null): Promise<Uint8Array[]> {
  const reached: Uint8Array[] = [];
  for (const node of await activeNodes(tx)) {
    if (node.role === nodeRole.edge && zone !== null && node.zone !== zone) continue;
    if ((await issueBundle(core, tx, node)) !== null) reached.push(node.node_id);
  }
  return reached;
}
