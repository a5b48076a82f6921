import { nodeRole } from "../../protocol/trust/index.ts";
import { activeNodes } from "../registry/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { exportSources } from "./export-sources.ts";
import { issueBundle } from "./issue-bundle.ts";
import type { VaultCore } from "./vault-core.ts";

/** What a change may concern. Too narrow a scope would leave a node behind until the next wide one. */
export interface ChangeScope {
  /** The zone whose edge it concerns; null means every zone. Gateways are always asked. */
  readonly zone: string | null;
  /** Ids of accounts that changed; new ones need not be named. Null means any, as where grants changed. */
  readonly accounts: readonly Uint8Array[] | null;
  /** It may wait for others where a node takes long to issue to. */
  readonly mayWait?: boolean;
}

/**
 * Issues to every node that a change concerns. Returns the ids of those that have something new to fetch. Part of the changing
 * transaction, so that nothing is promised that is not on its way, or noted to be.
 */
export async function exportNodes(core: VaultCore, tx: VaultTransaction, scope: ChangeScope): Promise<Uint8Array[]> {
  const reached: Uint8Array[] = [];
  const sources = exportSources(core, tx);
  for (const node of await activeNodes(tx)) {
    if (node.role === nodeRole.edge && scope.zone !== null && node.zone !== scope.zone) continue;
    const fromMs = core.clock.sinceBootMs();
    if (scope.mayWait === true && core.pace.leftMs(node.node_id, fromMs) > 0) {
      await core.pace.putOff(tx, node.node_id, scope.accounts);
      continue;
    }
    if ((await issueBundle(core, tx, node, { accounts: scope.accounts, sources })) !== null) reached.push(node.node_id);
    core.pace.took(node.node_id, { fromMs, toMs: core.clock.sinceBootMs() });
  }
  return reached;
}
