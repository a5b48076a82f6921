import { TidegateError, toHex } from "../../protocol/base/index.ts";
import { giveOrder, type RegistryContext } from "../registry/index.ts";
import type { FleetRunRow, VaultTransaction } from "../store/index.ts";
import { exposedNodes } from "./exposed-nodes.ts";
import { mostRounds } from "./limits.ts";
import { exposedAccounts, membersOf, type RunMember } from "./members.ts";
import { nextMove } from "./moves.ts";

/**
 * Takes every running fleet rotation as far as its orders' outcomes allow. Returns the zones that have new orders, or lost some.
 * Safe to call at any time and by any process: what was done is in the store.
 */
export async function advanceFleets(context: RegistryContext, tx: VaultTransaction): Promise<ReadonlySet<string>> {
  const zones = new Set<string>();
  const runs = await tx.selectFrom("fleet_runs").selectAll().where("state", "=", "running").execute();
  for (const run of runs) await advance(context, tx, run, zones);
  return zones;
}

async function advance(context: RegistryContext, tx: VaultTransaction, run: FleetRunRow, zones: Set<string>): Promise<void> {
  for (;;) {
    const members = await judged(context, tx, run);
    const move = nextMove(members, run.parallel);
    if (move.kind === "wait") return;
    if (move.kind === "finish") return finish(context, tx, run, members);
    if (move.kind === "stop") {
      for (const zone of await stopRun(context, tx, { run, members, code: move.code, path: move.path })) zones.add(zone);
      return;
    }
    for (const { place, zone } of move.members) {
      const member = members.find((each) => each.place === place);
      if (member !== undefined && (await order(context, tx, run, member))) zones.add(zone);
    }
  }
}

/** The members; one whose new value the exposed gateway holds too waits to be ordered again, a few times. */
async function judged(context: RegistryContext, tx: VaultTransaction, run: FleetRunRow): Promise<RunMember[]> {
  const members = await membersOf(tx, run.run_id, nowS(context));
  if (run.exposed_by === null) return members;
  const exposed = await exposedAccounts(tx, await exposedNodes(tx, run.exposed_by));
  const again = (member: RunMember) => member.state === "done" && exposed.has(toHex(member.accountId));
  for (const { place } of members.filter((member) => again(member) && member.rounds >= mostRounds))
    await changeMember(tx, run, place, { code: "FLEET_STILL_EXPOSED" });
  return members.map((member): RunMember => {
    if (!again(member)) return member;
    return member.rounds < mostRounds
      ? { ...member, state: "waiting" }
      : { ...member, state: "failed", code: "FLEET_STILL_EXPOSED" };
  });
}

async function changeMember(
  tx: VaultTransaction,
  run: FleetRunRow,
  place: number,
  set: { order_id?: Uint8Array; code?: string; rounds?: number },
): Promise<void> {
  await tx.updateTable("fleet_members").set(set).where("run_id", "=", run.run_id).where("place", "=", place).execute();
}

/** False where no order could be given; the member is refused with its code then. */
async function order(
  context: RegistryContext,
  tx: VaultTransaction,
  run: FleetRunRow,
  { path, place, rounds }: RunMember,
): Promise<boolean> {
  try {
    const cause = run.exposed_by === null ? "fleet" : "leak";
    const given = await giveOrder(context, tx, { path, action: "rotate", withinS: run.within_s, cause });
    await changeMember(tx, run, place, { order_id: given.order_id, rounds: rounds + 1 });
    return true;
  } catch (error) {
    if (!(error instanceof TidegateError) || error.fault !== "operator") throw error;
    await changeMember(tx, run, place, { code: error.code });
    return false;
  }
}

async function finish(
  context: RegistryContext,
  tx: VaultTransaction,
  run: FleetRunRow,
  members: readonly RunMember[],
): Promise<void> {
  const done = members.filter(({ state }) => state === "done").length;
  await tx
    .updateTable("fleet_runs")
    .set({ state: "done", finished_at: context.nowMs() })
    .where("run_id", "=", run.run_id)
    .execute();
  await context.audit(tx, {
    action: "fleet.done",
    actor: { kind: "node", id: "vault" },
    subject: { kind: "fleet", id: toHex(run.run_id) },
    outcome: "ok",
    details: { done, failed: members.length - done },
  });
}

/** Ends a run early: orders that wait are withdrawn, what an edge has begun it finishes. Returns the zones of those orders. */
export async function stopRun(
  context: RegistryContext,
  tx: VaultTransaction,
  stop: { run: FleetRunRow; members: readonly RunMember[]; code: string; path: string | null },
): Promise<ReadonlySet<string>> {
  const { run, members, code, path } = stop;
  const open = members.filter(({ state }) => state === "ordered");
  for (const { orderId } of open) {
    if (orderId === null) continue;
    await tx
      .updateTable("orders")
      .set({ state: "done", outcome: "withdrawn", code, finished_at: context.nowMs() })
      .where("order_id", "=", orderId)
      .execute();
  }
  await tx
    .updateTable("fleet_runs")
    .set({ state: "stopped", code, stopped_by: path, finished_at: context.nowMs() })
    .where("run_id", "=", run.run_id)
    .execute();
  await context.audit(tx, {
    action: "fleet.stop",
    actor: code === "FLEET_STOPPED" ? { kind: "operator", id: "local" } : { kind: "node", id: "vault" },
    subject: { kind: "fleet", id: toHex(run.run_id) },
    outcome: code === "FLEET_STOPPED" ? "ok" : "failed",
    code: code === "FLEET_STOPPED" ? null : code,
    details: { ...(path === null ? {} : { path }), done: members.filter(({ state }) => state === "done").length },
  });
  return new Set(open.map(({ zone }) => zone));
}

export function nowS(context: RegistryContext): number {
  return Math.floor(context.nowMs() / 1000);
}
