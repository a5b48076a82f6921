import { decodeRecord, tables } from "../../edge/rotation/record.ts";
import { isResting } from "../../protocol/rotation/index.ts";
import type { World } from "./world.ts";

/** Goes on until everybody agrees about everything; what is missing at `until`. */
export async function comesToRest(world: World, until: number): Promise<string[]> {
  for (;;) {
    const missing = unfinished(world);
    if (missing.length === 0) return [];
    if (world.time.now >= until || world.problems.length > 0) return missing;
    // Asking costs as much as many steps.
    const next = Math.min(until, world.time.now + 2_000);
    while (await world.step(next));
  }
}

interface CurrentRow {
  readonly path: string;
  readonly rotate: string;
  readonly epoch: number;
  readonly number: number;
  readonly open: number;
}

/** What is not settled yet between vault, gateway and edges. */
export function unfinished(world: World): string[] {
  const missing: string[] = [];
  const { vault, gateway, edges, vaultDisk } = world;
  if (vault.running === null) missing.push("the vault does not run");
  if (gateway.running === null) missing.push("the gateway does not run");
  for (const edge of edges) if (edge.running === null) missing.push(`${edge.name} does not run`);
  if (missing.length > 0) return missing;
  for (const { name, running } of [gateway, ...edges]) {
    const node = running === null ? null : "core" in running ? running.core.node : running.parts.node;
    const status = node?.status();
    if (status === undefined) continue;
    if (status.mode !== "NORMAL") missing.push(`${name} is ${status.mode}`);
    if (status.waitingFacts > 0) missing.push(`${name} has ${status.waitingFacts} facts that the vault has not acknowledged`);
    if (status.heldItems > 0) missing.push(`${name} holds ${status.heldItems} bundles`);
  }
  const waiting = vaultDisk.all<{ n: number }>("select count(*) as n from outbox where changes = 1")[0]?.n ?? 0;
  if (waiting > 0) missing.push(`${waiting} bundles are not acknowledged`);
  const orders = vaultDisk.all<{ n: number }>("select count(*) as n from orders where state = 'open'")[0]?.n ?? 0;
  if (orders > 0) missing.push(`${orders} orders are open`);
  for (const row of currentRows(world)) missing.push(...unsettledAccount(world, row));
  return missing;
}

function currentRows({ vaultDisk }: World): CurrentRow[] {
  return vaultDisk.all<CurrentRow>(
    `select a.path, a.rotate, c.epoch, c.number,
      (select count(*) from credentials o where o.account_id = a.account_id and o.status = 'issued') as open
      from accounts a join credentials c on c.account_id = a.account_id and c.status = 'acknowledged' order by a.path`,
  );
}

/** What vault, edge and device do not agree about. */
function unsettledAccount(world: World, { path, rotate, epoch, number, open }: CurrentRow): string[] {
  const missing: string[] = [];
  const version = `${epoch}.${number}`;
  if (open !== (rotate === "never" ? 0 : 2)) missing.push(`${path} has ${open} open values at the vault`);
  const edge = world.edges.find(({ running }) => running?.core.credentials.accountAt(path) != null);
  const account = edge?.running?.core.credentials.accountAt(path);
  if (edge === undefined || account == null) return [...missing, `${path} is not known to its edge`];
  const { state } = account.record;
  if (!isResting(state) || state.pending !== null || state.unacknowledged !== null) missing.push(`${path} is ${state.phase}`);
  if (state.hold !== null) missing.push(`${path} is held`);
  const current = state.candidates.find(({ ref }) => ref === state.current)?.index.join(".");
  if (current !== version) missing.push(`${path} is ${current} at its edge and ${version} at the vault`);
  if (state.pool.length !== open) missing.push(`${path} has a pool of ${state.pool.length}, and ${open} values are open`);
  const stored = edge.disk.rows(tables.account).get(account.key);
  if (stored !== undefined && decodeRecord(stored).state.current !== state.current)
    missing.push(`${path} is another in memory than on disk`);
  const served = world.gateway.running?.parts.credentials.find(path);
  if (world.plan.consumers && served?.version !== version)
    missing.push(`${path} is ${served?.version ?? "not held"} at the gateway and ${version} at the vault`);
  return missing;
}
