import { toHex } from "../../protocol/base/index.ts";
import type { RegistryContext } from "../registry/index.ts";
import type { FleetRunRow, VaultTransaction } from "../store/index.ts";
import { advanceFleets, nowS, stopRun } from "./advance.ts";
import { FleetError } from "./codes.ts";
import { listedRuns } from "./limits.ts";
import { membersOf, type RunMember } from "./members.ts";
import type { MemberState } from "./moves.ts";
import { refuseSecond } from "./start-run.ts";

/** A run and how each of its accounts stands. */
export interface FleetView {
  readonly run: FleetRunRow;
  readonly members: readonly RunMember[];
}

/** The newest runs first. */
export function listRuns(tx: VaultTransaction): Promise<FleetRunRow[]> {
  return tx.selectFrom("fleet_runs").selectAll().orderBy("created_at", "desc").limit(listedRuns).execute();
}

/** The run of this id, or the newest where `id` is null. Throws FLEET_NOT_FOUND. */
export async function runOf(tx: VaultTransaction, id: Uint8Array | null, nowMs: number): Promise<FleetView> {
  const all = tx.selectFrom("fleet_runs").selectAll();
  const wanted = id === null ? all.orderBy("created_at", "desc").limit(1) : all.where("run_id", "=", id);
  const run = await wanted.executeTakeFirst();
  if (run === undefined) {
    throw new FleetError("FLEET_NOT_FOUND", "there is no such fleet rotation", "List them with 'tidegate fleet list'.");
  }
  return { run, members: await membersOf(tx, run.run_id, Math.floor(nowMs / 1000)) };
}

/** An operator's stop. Returns the zones whose edges lose an order. Throws FLEET_STATE. */
export async function stop(context: RegistryContext, tx: VaultTransaction, view: FleetView): Promise<ReadonlySet<string>> {
  if (view.run.state !== "running") throw new FleetError("FLEET_STATE", `this fleet rotation is ${view.run.state}`);
  return stopRun(context, tx, { ...view, code: "FLEET_STOPPED", path: null });
}

const againStates: ReadonlySet<MemberState> = new Set(["failed", "refused", "expired", "withdrawn"]);

/**
 * Takes a stopped run up again: what is done stays done, everything else is ordered anew, and an account whose password is still not
 * known stops it again. Throws FLEET_STATE, FLEET_RUNNING.
 */
export async function resume(context: RegistryContext, tx: VaultTransaction, id: Uint8Array): Promise<ReadonlySet<string>> {
  const { run, members } = await runOf(tx, id, nowS(context) * 1000);
  if (run.state !== "stopped") throw new FleetError("FLEET_STATE", `this fleet rotation is ${run.state}`);
  await refuseSecond(tx);
  const again = members.filter(({ state }) => againStates.has(state));
  for (const { place } of again) {
    await tx
      .updateTable("fleet_members")
      .set({ order_id: null, code: null })
      .where("run_id", "=", run.run_id)
      .where("place", "=", place)
      .execute();
  }
  await tx
    .updateTable("fleet_runs")
    .set({ state: "running", code: null, stopped_by: null, finished_at: null })
    .where("run_id", "=", run.run_id)
    .execute();
  await context.audit(tx, {
    action: "fleet.resume",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "fleet", id: toHex(run.run_id) },
    outcome: "ok",
    details: { accounts: again.length },
  });
  return advanceFleets(context, tx);
}
