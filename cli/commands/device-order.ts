import { userInfo } from "node:os";
import { callAdmin } from "../../agent/admin/index.ts";
import { CliError, exitCodes, type Frame, hintOf } from "../frame/index.ts";
import { vaultPath } from "./device-options.ts";
import { modelOf } from "./device-set.ts";
import type { DeviceAnswer } from "./device-view.ts";
import { type DryCheck, dryRunLines } from "./dry-run-view.ts";

/** An order as the vault describes it. */
export interface OrderAnswer {
  readonly orderId: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly code: string | null;
  /** Why it waits for a person; null where it goes on by itself. */
  readonly standstill: string | null;
}

/** Options of `device rotate` and `device verify`. */
export interface OrderOptions {
  readonly data?: string;
  readonly within?: number;
  readonly wait?: number;
  readonly cancel?: boolean;
  readonly now?: boolean;
  readonly dryRun?: boolean;
}

interface OrderWish {
  readonly path: string;
  readonly action: string;
  readonly adopts?: boolean;
}

/** How often a waiting command asks what became of its order, ms. */
const pollMs = 250;

/** Gives an order, takes one back, or tells what it would meet. Throws CLI_USAGE. */
export async function orderDevice(frame: Frame, wish: OrderWish, options: OrderOptions): Promise<void> {
  const { cancel, dryRun, now, within, wait } = options;
  const others = within !== undefined || wait !== undefined || now === true;
  if (cancel === true && (others || dryRun === true))
    throw new CliError("CLI_USAGE", "--cancel takes an order back: the other options are of a new one");
  if (dryRun === true && others) throw new CliError("CLI_USAGE", "--dry-run orders nothing: the other options are of an order");
  if (cancel === true) return withdraw(frame, wish, options);
  if (dryRun === true) return tellDryRun(frame, wish.path, options);
  const answer = await placeOrder(frame, wish, options);
  frame.output.result(answer, ({ orderId, state, outcome, code, standstill }) => {
    if (state === "open") return `ordered: ${orderId}${standstill === null ? "" : `; it waits for a person (${standstill})`}`;
    return `${outcome}${code === null ? "" : ` (${code})`}`;
  });
  const hint = orderHint(answer, wait);
  if (hint !== undefined) frame.output.say(`hint: ${hint}`);
  if (wait !== undefined && answer.outcome !== "done") frame.exit(exitCodes.negative);
}

/** What to do about an order that did not come through, or does not yet; undefined where nothing is known. */
export function orderHint({ state, code, standstill }: OrderAnswer, wait: number | undefined): string | undefined {
  if (standstill !== null) return hintOf(standstill);
  if (state !== "open") return hintOf(code ?? "");
  if (wait === undefined) return undefined;
  return `not carried out after ${wait} s; it stays open: 'tidegate status' at the edge says what it waits for`;
}

/** Gives an order, and waits for its outcome as long as `wait` says, but not for a person. */
export async function placeOrder(frame: Frame, wish: OrderWish, options: OrderOptions): Promise<OrderAnswer> {
  const data = vaultPath(frame, options);
  const body = {
    ...wish,
    ...(options.within === undefined ? {} : { withinS: options.within }),
    // Who overrides a window stands in the leaf.
    ...(options.now === true ? { now: true, operator: userInfo().username } : {}),
  };
  let answer = (await callAdmin(data, { method: "POST", path: "/v1/orders", body })) as OrderAnswer;
  const until = Date.now() + (options.wait ?? 0) * 1000;
  while (answer.state === "open" && answer.standstill === null && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    answer = (await callAdmin(data, { method: "GET", path: `/v1/orders/${answer.orderId}` })) as OrderAnswer;
  }
  return answer;
}

async function withdraw(frame: Frame, body: OrderWish, options: OrderOptions): Promise<void> {
  const call = { method: "POST", path: "/v1/orders/withdraw", body } as const;
  const orders = (await callAdmin(vaultPath(frame, options), call)) as OrderAnswer[];
  frame.output.result(orders, (all) => all.map(({ orderId }) => `withdrawn: ${orderId}`));
}

interface DryRunAnswer {
  readonly path: string;
  readonly username: string;
  readonly device: DeviceAnswer;
  readonly checks: readonly DryCheck[];
}

/** What the vault knows, and what the model says would be sent. */
async function tellDryRun(frame: Frame, path: string, options: OrderOptions): Promise<void> {
  const { attemptLimit } = await import("../../protocol/rotation/index.ts");
  const { changeOutline } = await import("../../firmware-adapters/index.ts");
  const call = { method: "GET", path: `/v1/dry-run?path=${encodeURIComponent(path)}` } as const;
  const { device, username, checks } = (await callAdmin(vaultPath(frame, options), call)) as DryRunAnswer;
  const model = await modelOf(frame, device.model, options);
  const { lockout } = model;
  const limit = attemptLimit(typeof lockout === "string" ? lockout : lockout.tries);
  const tries = typeof lockout === "string" ? lockout : `after ${lockout.tries} wrong logins`;
  const lockoutCheck: DryCheck = {
    check: "lockout",
    code: limit === 0 ? "ROTATION_LOCKOUT_TOO_LOW" : null,
    detail: `${tries}: ${limit} attempts in a window of it`,
  };
  const all = [...checks, lockoutCheck];
  const requests = changeOutline({
    target: { host: device.host, port: device.port, settings: device.settings },
    username,
    model,
  });
  const ready = all.every(({ code }) => code === null);
  frame.output.result({ path, ready, checks: all, requests }, dryRunLines);
  frame.output.say("the edge asks for more when it begins: 'tidegate edge rotate PATH --dry-run' there shows it");
  if (!ready) frame.exit(exitCodes.negative);
}
