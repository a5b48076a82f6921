import { toHex } from "../../protocol/base/index.ts";
import { parsePath, parsePattern, patternMatches } from "../../protocol/content/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import type { RegistryContext } from "../registry/index.ts";
import type { FleetRunRow, VaultTransaction } from "../store/index.ts";
import { advanceFleets } from "./advance.ts";
import { FleetError } from "./codes.ts";
import { exposedNodes } from "./exposed-nodes.ts";
import { exposedAccounts } from "./members.ts";

export interface FleetInput {
  /** Zones; empty means all. */
  readonly zones: readonly string[];
  /** Models; empty means all. */
  readonly models: readonly string[];
  /** Path patterns; empty means all. */
  readonly paths: readonly string[];
  /** Name of a gateway: only accounts of which it was given a value that is or may come into use. */
  readonly exposedBy: string | null;
  readonly canaries: number;
  readonly parallel: number;
  readonly withinS: number;
}

interface Candidate {
  readonly accountId: Uint8Array;
  readonly path: string;
  readonly model: string;
}

/** The accounts that a run over `input` would rotate, canaries first. Throws FLEET_EMPTY, FLEET_STILL_SERVED. */
export async function planRun(tx: VaultTransaction, input: FleetInput): Promise<{ path: string; canary: boolean }[]> {
  return (await membersFor(tx, input)).map(({ path }, place) => ({ path, canary: place < input.canaries }));
}

/** Starts a fleet rotation and gives its first orders. Throws FLEET_*, CONTENT_PATTERN_INVALID. */
export async function startRun(
  context: RegistryContext,
  tx: VaultTransaction,
  input: FleetInput,
): Promise<{ run: FleetRunRow; zones: ReadonlySet<string> }> {
  await refuseSecond(tx);
  const members = await membersFor(tx, input);
  const run: FleetRunRow = {
    run_id: context.random(16),
    state: "running",
    code: null,
    stopped_by: null,
    parallel: input.parallel,
    within_s: input.withinS,
    exposed_by: input.exposedBy,
    created_at: context.nowMs(),
    finished_at: null,
  };
  await tx.insertInto("fleet_runs").values(run).execute();
  for (const [place, { accountId }] of members.entries()) {
    const canary = place < input.canaries ? 1 : 0;
    const row = { run_id: run.run_id, place, account_id: accountId, canary, order_id: null, code: null, rounds: 0 };
    await tx.insertInto("fleet_members").values(row).execute();
  }
  await context.audit(tx, {
    action: "fleet.start",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "fleet", id: toHex(run.run_id) },
    outcome: "ok",
    details: {
      accounts: members.length,
      canaries: Math.min(input.canaries, members.length),
      parallel: input.parallel,
      ...(input.exposedBy === null ? {} : { exposedBy: input.exposedBy }),
    },
  });
  return { run, zones: await advanceFleets(context, tx) };
}

/** Throws FLEET_RUNNING: two at once would see each other's orders as their own. */
export async function refuseSecond(tx: VaultTransaction): Promise<void> {
  const running = await tx.selectFrom("fleet_runs").select("run_id").where("state", "=", "running").executeTakeFirst();
  if (running === undefined) return;
  throw new FleetError(
    "FLEET_RUNNING",
    `the fleet rotation ${toHex(running.run_id)} is under way`,
    "'tidegate fleet status' shows how far it is, 'tidegate fleet stop' ends it.",
  );
}

/** Canaries are of as many models and zones as there can be: each first account of its kind comes before any second one. */
async function membersFor(tx: VaultTransaction, input: FleetInput): Promise<Candidate[]> {
  const fitting = await accountsFor(tx, input);
  if (fitting.length === 0) {
    throw new FleetError(
      "FLEET_EMPTY",
      input.exposedBy === null ? "no account fits" : `no account that fits is exposed by ${input.exposedBy}`,
      "Accounts with the policy 'never', without a credential and break-glass accounts are left out: 'tidegate device list'.",
    );
  }
  const seen = new Map<string, number>();
  const ranked = fitting.map((account) => {
    const kind = `${account.model} ${account.path.split("/")[0]}`;
    const rank = seen.get(kind) ?? 0;
    seen.set(kind, rank + 1);
    return { account, rank };
  });
  return ranked.sort((a, b) => a.rank - b.rank || (a.account.path < b.account.path ? -1 : 1)).map(({ account }) => account);
}

async function accountsFor(tx: VaultTransaction, input: FleetInput): Promise<Candidate[]> {
  const patterns = input.paths.map(parsePattern);
  const exposed = input.exposedBy === null ? null : await exposedBy(tx, input.exposedBy);
  const rows = await tx
    .selectFrom("accounts")
    .innerJoin("devices", "devices.device_id", "accounts.device_id")
    .innerJoin("credentials", "credentials.account_id", "accounts.account_id")
    .select(["accounts.account_id", "accounts.path", "devices.model", "devices.zone"])
    .where("credentials.status", "=", "acknowledged")
    .where("accounts.rotate", "<>", "never")
    .where("accounts.break_glass", "=", 0)
    .orderBy("accounts.path")
    .execute();
  return rows
    .filter(({ zone }) => input.zones.length === 0 || input.zones.includes(zone))
    .filter(({ model }) => input.models.length === 0 || input.models.includes(model))
    .filter(({ path }) => patterns.length === 0 || patterns.some((each) => patternMatches(each, parsePath(path))))
    .filter((row) => exposed === null || exposed.has(toHex(row.account_id)))
    .map((row) => ({ accountId: row.account_id, path: row.path, model: row.model }));
}

async function exposedBy(tx: VaultTransaction, name: string): Promise<ReadonlySet<string>> {
  const nodes = await exposedNodes(tx, name);
  if (nodes.length === 0)
    throw new FleetError("FLEET_NOT_FOUND", `there is no gateway ${name}`, "List them with 'tidegate node list'.");
  const inUse = await tx
    .selectFrom("nodes")
    .select("node_id")
    .where("node_id", "in", nodes)
    .where("role", "=", nodeRole.gateway)
    .where("state", "=", "active")
    .executeTakeFirst();
  if (inUse !== undefined) {
    throw new FleetError(
      "FLEET_STILL_SERVED",
      `${name} is in use and would be given the new passwords too`,
      `Replace it first: 'tidegate vault enroll ${name} --role gateway' with the same name, and join the new machine.`,
    );
  }
  return exposedAccounts(tx, nodes);
}
