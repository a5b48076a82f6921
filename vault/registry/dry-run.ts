import { TidegateError } from "../../protocol/base/index.ts";
import { wipeFields } from "../../protocol/content/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { checkFields } from "../generation/index.ts";
import type { AccountRow, DeviceRow, VaultTransaction } from "../store/index.ts";
import { deviceOf } from "./change-device.ts";
import { credentialVersions } from "./credentials.ts";
import { accountAt } from "./devices.ts";
import { breakGlassGapMs } from "./limits.ts";
import { modelConstraints } from "./models.ts";
import { nextOpening } from "./order-window.ts";
import type { RegistryContext } from "./registry-context.ts";

/** One thing that is asked before a password is changed. */
export interface DryCheck {
  readonly check: string;
  /** What would stand in the way, or null. */
  readonly code: string | null;
  readonly detail: string;
}

export interface DryRun {
  readonly path: string;
  readonly username: string;
  readonly device: DeviceRow;
  /** In the order in which they are asked. */
  readonly checks: readonly DryCheck[];
}

/** What an order to rotate the account would meet, as far as the vault knows; orders nothing. Throws REGISTRY_NOT_FOUND. */
export async function dryRun(
  context: Pick<RegistryContext, "seal" | "nowMs">,
  tx: VaultTransaction,
  path: string,
): Promise<DryRun> {
  const account = await accountAt(tx, path);
  const device = await deviceOf(tx, account);
  const checks = [
    check("policy", account.rotate === "never" ? "ORDER_NOT_ALLOWED" : null, account.rotate),
    await edgeCheck(tx, device),
    check("hold", device.held === 1 ? "ORDER_ON_HOLD" : null, device.held === 1 ? "held by an operator" : "none"),
    stateCheck(account),
    check("escrow", account.unsettled === 1 ? "ROTATION_ESCROW_DUE" : null, account.unsettled === 1 ? "due" : "settled"),
    ...(await valueChecks(context, tx, account, device)),
    check("identity", null, device.identity ?? "not pinned by the vault's knowledge: a proof is made first"),
    windowCheck(device, context.nowMs()),
    await breakGlassCheck(tx, account, context.nowMs()),
  ];
  return { path, username: account.username, device, checks };
}

function check(name: string, code: string | null, detail: string): DryCheck {
  return { check: name, code, detail };
}

async function edgeCheck(tx: VaultTransaction, device: DeviceRow): Promise<DryCheck> {
  const edge = await tx
    .selectFrom("nodes")
    .select(["name", "state"])
    .where("role", "=", nodeRole.edge)
    .where("zone", "=", device.zone)
    .where("state", "<>", "replaced")
    .executeTakeFirst();
  if (edge === undefined) return check("edge", "ORDER_NO_EDGE", `none in zone ${device.zone}`);
  return check("edge", edge.state === "active" ? null : "ROTATION_HELD", `${edge.name}, ${edge.state}`);
}

/** What the edge last said; it knows better by now. */
function stateCheck({ reported_state: state, reported_code: said }: AccountRow): DryCheck {
  if (state === null) return check("state", null, "the edge has said nothing about it yet");
  if (state === "UNKNOWN") return check("state", "ROTATION_UNKNOWN", state);
  if (state === "QUARANTINE") return check("state", "ROTATION_HELD", state);
  const rests = state === "IDLE" || state === "VERIFIED";
  return check("state", rests ? null : "ROTATION_BUSY", said === null ? state : `${state} (${said})`);
}

/** There is a live value and a next one, and the next one fits the model's constraints. */
async function valueChecks(
  context: Pick<RegistryContext, "seal">,
  tx: VaultTransaction,
  account: AccountRow,
  device: DeviceRow,
): Promise<DryCheck[]> {
  const versions = await credentialVersions(context, tx, account.account_id, ["acknowledged", "issued"]);
  try {
    const current = versions.find(({ status }) => status === "acknowledged");
    const pool = versions.filter(({ status }) => status === "issued");
    const next = pool.at(-1);
    const live =
      current === undefined
        ? check("credential", "REGISTRY_NO_CREDENTIAL", "none")
        : check("credential", null, `version ${current.index.join(".")}`);
    if (next === undefined) return [live, check("pool", "ROTATION_POOL_EMPTY", "empty")];
    const constraints = await modelConstraints(tx, device.model);
    const problem = misfit(() => checkFields(constraints, next.fields));
    return [
      live,
      check("pool", null, `version ${next.index.join(".")} of ${pool.length} is next`),
      check("value", problem, problem === null ? `meets the constraints of ${device.model}` : `refused by ${device.model}`),
    ];
  } finally {
    for (const { fields } of versions) wipeFields(fields);
  }
}

function misfit(work: () => void): string | null {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof TidegateError) return error.code;
    throw error;
  }
}

function windowCheck(device: DeviceRow, nowMs: number): DryCheck {
  const opening = nextOpening(device, nowMs);
  if (opening === null) return check("window", null, "none is set: always open");
  const [from, to] = [opening.fromMs, opening.toMs].map((at) => new Date(at).toISOString());
  if (opening.fromMs <= nowMs) return check("window", null, `open until ${to}`);
  return check("window", "ROTATION_WINDOW_CLOSED", `opens at ${from}, until ${to}`);
}

async function breakGlassCheck(tx: VaultTransaction, account: AccountRow, nowMs: number): Promise<DryCheck> {
  const others = await tx
    .selectFrom("accounts")
    .innerJoin("credentials", "credentials.account_id", "accounts.account_id")
    .select(["accounts.path", "accounts.break_glass"])
    .where("accounts.device_id", "=", account.device_id)
    .where("accounts.account_id", "<>", account.account_id)
    .where("credentials.source", "=", "generated")
    .where("credentials.proven_at", ">", nowMs - breakGlassGapMs)
    .execute();
  const near = others.filter((other) => account.break_glass === 1 || other.break_glass === 1);
  if (near.length === 0) return check("break-glass", null, account.break_glass === 1 ? "the account itself" : "no conflict");
  return check(
    "break-glass",
    "ROTATION_BREAK_GLASS",
    `changed lately: ${[...new Set(near.map(({ path }) => path))].join(", ")}`,
  );
}
