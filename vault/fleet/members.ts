import { toHex } from "../../protocol/base/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { lateOutcomeS } from "./limits.ts";
import type { Member, MemberState } from "./moves.ts";

/** A member with what is needed to order it again. */
export interface RunMember extends Member {
  readonly accountId: Uint8Array;
  readonly orderId: Uint8Array | null;
  readonly rounds: number;
}

/** All members of a run by place, each as its order stands at `nowS`. */
export async function membersOf(tx: VaultTransaction, runId: Uint8Array, nowS: number): Promise<RunMember[]> {
  const rows = await tx
    .selectFrom("fleet_members")
    .innerJoin("accounts", "accounts.account_id", "fleet_members.account_id")
    .leftJoin("orders", "orders.order_id", "fleet_members.order_id")
    .select([
      "fleet_members.place",
      "fleet_members.account_id",
      "fleet_members.canary",
      "fleet_members.order_id",
      "fleet_members.code",
      "fleet_members.rounds",
      "accounts.path",
      "orders.state as order_state",
      "orders.outcome",
      "orders.code as order_code",
      "orders.not_after",
    ])
    .where("fleet_members.run_id", "=", runId)
    .orderBy("fleet_members.place")
    .execute();
  return rows.map((row) => ({
    place: row.place,
    accountId: row.account_id,
    path: row.path,
    zone: row.path.split("/")[0] ?? "",
    canary: row.canary === 1,
    orderId: row.order_id,
    rounds: row.rounds,
    ...standing(row, nowS),
  }));
}

interface Standing {
  readonly order_id: Uint8Array | null;
  readonly code: string | null;
  readonly order_state: string | null;
  readonly outcome: string | null;
  readonly order_code: string | null;
  readonly not_after: number | null;
}

function standing(row: Standing, nowS: number): { state: MemberState; code: string | null } {
  if (row.code !== null) return { state: row.order_id === null ? "refused" : "failed", code: row.code };
  if (row.order_id === null) return { state: "waiting", code: null };
  if (row.order_state === "open") {
    // Its outcome may be on its way for a while after its end.
    const over = (row.not_after ?? 0) + lateOutcomeS < nowS;
    return over ? { state: "expired", code: "CLOCK_EXPIRED" } : { state: "ordered", code: null };
  }
  return { state: stateOf(row.outcome), code: row.order_code };
}

function stateOf(outcome: string | null): MemberState {
  switch (outcome) {
    case "done":
    case "refused":
    case "expired":
    case "withdrawn":
      return outcome;
    default:
      return "failed";
  }
}

/** Accounts of which some gateway of `nodes` was given the value in use, or one of those that would come next. */
export async function exposedAccounts(tx: VaultTransaction, nodes: readonly Uint8Array[]): Promise<ReadonlySet<string>> {
  if (nodes.length === 0) return new Set();
  const rows = await tx
    .selectFrom("exposures")
    .innerJoin("credentials", (join) =>
      join
        .onRef("credentials.account_id", "=", "exposures.account_id")
        .onRef("credentials.epoch", "=", "exposures.epoch")
        .onRef("credentials.number", "=", "exposures.number"),
    )
    .select("exposures.account_id")
    .distinct()
    .where("exposures.node_id", "in", [...nodes])
    .where("credentials.status", "in", ["acknowledged", "issued"])
    .execute();
  return new Set(rows.map((row) => toHex(row.account_id)));
}
