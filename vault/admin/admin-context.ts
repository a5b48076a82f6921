import type { RegistryContext } from "../registry/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { exportNodes, registryOf, type VaultCore } from "../streams/index.ts";

/** What the admin calls need of the running vault. */
export interface AdminContext {
  readonly core: VaultCore;
  /** Something new waits for these nodes. */
  wake(nodeIds: readonly Uint8Array[]): void;
  /** True while the node, or the gateway before it, has a session. */
  connected(nodeId: Uint8Array): boolean;
  /** What enrolment codes for gateways name. */
  vaultAddress(): string;
}

/** Runs a change and issues what follows from it, in one transaction; `zone` bounds the edges concerned, null means all. */
export async function change<T>(
  context: AdminContext,
  zone: string | null,
  work: (registry: RegistryContext, tx: VaultTransaction) => Promise<T>,
): Promise<T> {
  const { core } = context;
  const { result, reached } = await core.store.transaction(async (tx) => {
    const made = await work(await registryOf(core, tx), tx);
    return { result: made, reached: await exportNodes(core, tx, zone) };
  });
  context.wake(reached);
  return result;
}
