import type { ForwardStatus } from "../../agent/forward/index.ts";
import type { SpaceWatch } from "../../agent/space/index.ts";
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
  /** How forwarding to each collector of events goes; absent where nothing is forwarded. */
  forwards?(): readonly ForwardStatus[];
  /** How the disk stands; absent where nobody looks. */
  space?(): SpaceWatch["facts"] & { readonly dropped: number };
}

/** What a change may concern. */
export interface ChangeOf {
  /** Zone of the edge concerned; null means every zone. Gateways always are. */
  readonly zone: string | null;
  /** Paths of the accounts that change, new ones need not be named; null means any, as where grants change. */
  readonly paths: readonly string[] | null;
  /** It may wait for further changes, so that registering a plant does not issue each account alone. */
  readonly mayWait?: boolean;
}

/** A change of one account's values. */
export function changeOfAccount(path: string): ChangeOf {
  return { zone: path.split("/")[0] ?? null, paths: [path] };
}

/** Runs a change and issues what follows from it, in one transaction. */
export async function change<T>(
  context: AdminContext,
  of: ChangeOf,
  work: (registry: RegistryContext, tx: VaultTransaction) => Promise<T>,
): Promise<T> {
  const { core } = context;
  const { result, reached } = await core.store.transaction(async (tx) => {
    const made = await work(await registryOf(core, tx), tx);
    const scope = { zone: of.zone, accounts: await idsOf(tx, of.paths), mayWait: of.mayWait === true };
    return { result: made, reached: await exportNodes(core, tx, scope) };
  });
  context.wake(reached);
  return result;
}

async function idsOf(tx: VaultTransaction, paths: readonly string[] | null): Promise<Uint8Array[] | null> {
  if (paths === null) return null;
  if (paths.length === 0) return [];
  const rows = await tx
    .selectFrom("accounts")
    .select("account_id")
    .where("path", "in", [...paths])
    .execute();
  return rows.map((row) => row.account_id);
}
