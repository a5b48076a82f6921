import type { NodeTime } from "../../agent/node/index.ts";
import type { Clock } from "../../agent/seams/index.ts";
import { attemptLimit, isResting, type RotationCode, type RotationEvent } from "../../protocol/rotation/index.ts";
import { type Account, lockoutOf, type OpenOrder } from "./account.ts";
import type { GroupTurn } from "./group-rounds.ts";
import { refillLeftMs, settleLeftMs } from "./inputs.ts";
import { judgeOrder } from "./judge-order.ts";
import { leastPollMs, longestSleepMs, refusedRetryMs } from "./limits.ts";
import { takesLong } from "./refusals.ts";

/** What an account does next, or null where it waits. */
export type NextStep =
  | { readonly event: RotationEvent; readonly order: OpenOrder | null }
  /** The order's authority has ended. */
  | { readonly expired: OpenOrder }
  /** Its group is to change: all its members prove themselves first. */
  | { readonly opens: OpenOrder | null }
  /** A start that is refused before the machine is asked. */
  | { readonly refused: RotationCode; readonly order: OpenOrder | null };

/** What the choice depends on besides the account. */
export interface Circumstances {
  readonly time: NodeTime;
  readonly clock: Clock;
  /** Another account would have to make the change, and cannot. */
  readonly helpless: boolean;
  /** What its group lets it do. */
  readonly turn: GroupTurn;
}

/** Chooses the next event of an account without an exchange under way. */
export function nextStep(account: Account, { time, clock, helpless, turn }: Circumstances): NextStep | null {
  const { state } = account.record;
  if (state.spent > 0 && state.pending === null && refillLeftMs(account, clock) === 0)
    return { event: { kind: "refill" }, order: null };
  const expired = account.orders.find((order) => judgeOrder(order, time) === "expired");
  if (expired !== undefined && !isUnderWay(account, expired)) return { expired };
  // Its authority ended before anything was sent.
  if (expired !== undefined && state.phase === "STAGED" && state.pushes === 0 && state.pending === null)
    return { event: { kind: "cancel" }, order: null };
  const unsent = state.phase === "STAGED" && state.pushes === 0 && state.pending === null;
  // It would keep the device from the login that proves the helper.
  if (unsent && helpless && !state.reconciling) return { event: { kind: "cancel" }, order: null };
  if (unsent && isWithdrawn(account)) return { event: { kind: "cancel" }, order: null };
  if (unsent && account.waiting !== null && takesLong.has(account.waiting)) return { event: { kind: "cancel" }, order: null };
  if (state.phase === "UNKNOWN") return reconcileStep(account, time, clock);
  if (!isResting(state)) return { event: { kind: "tick" }, order: null };
  if (state.pending !== null || clock.sinceBootMs() < account.startAtMs) return null;
  if (turn === "prove") return { event: { kind: "verify" }, order: null };
  const order = nextOrder(account, time) ?? null;
  if (order !== null && order.action !== "rotate") return { event: { kind: order.action }, order };
  const called = account.due !== null && time.lo >= account.due.atS;
  const patient = clock.sinceBootMs() >= account.intervalAtMs;
  const due = (called || turn === "rotate") && patient ? 0 : intervalLeftMs(account, time, clock);
  if (order === null && due !== 0)
    return recheckLeftMs(account, time, clock) === 0 ? { event: { kind: "verify" }, order } : null;
  if (helpless) return { refused: "ROTATION_HELPER", order };
  if (turn === "closed") return { opens: order };
  if (turn === "wait") return null;
  const by = order !== null || called || turn === "rotate" ? "order" : "interval";
  return { event: { kind: "rotate", by }, order };
}

/** Where no candidate works, only an order to have another account set the password is of use. */
function reconcileStep(account: Account, time: NodeTime, clock: Clock): NextStep | null {
  if (clock.sinceBootMs() < account.startAtMs) return null;
  const order = account.orders.find((each) => each.action === "reconcile" && judgeOrder(each, time) === "yes");
  return order === undefined ? null : { event: { kind: "reconcile" }, order };
}

/** What waits for no window goes first: a rotation that waits for one must not keep it back. */
function nextOrder({ orders }: Account, time: NodeTime): OpenOrder | undefined {
  const due = orders.filter((each) => judgeOrder(each, time) === "yes");
  return due.find(({ now }) => now) ?? due.find(({ action }) => action !== "rotate") ?? due[0];
}

/** True where the vault does not name the order any more that the account is about to carry out. */
function isWithdrawn({ record: { orderId }, orders }: Account): boolean {
  return orderId !== null && !orders.some(({ id }) => Buffer.compare(id, orderId) === 0);
}

function isUnderWay(account: Account, order: OpenOrder): boolean {
  const { orderId, state } = account.record;
  return orderId !== null && Buffer.compare(orderId, order.id) === 0 && !isResting(state);
}

/** Milliseconds until the account is due by its interval; null where it has none. */
function intervalLeftMs(account: Account, time: NodeTime, clock: Clock): number | null {
  const { content, record } = account;
  if (content === null || content.rotate !== "interval" || content.intervalS === null) return null;
  const due = (record.currentSinceS + content.intervalS - time.lo) * 1000;
  return Math.max(0, due, account.intervalAtMs - clock.sinceBootMs());
}

/** Milliseconds until what was verified is to be proven once more; null where it is not. */
function recheckLeftMs(account: Account, time: NodeTime, clock: Clock): number | null {
  const { recheckAtS } = account.record;
  // A device that locks out too soon is left alone.
  if (recheckAtS === null || attemptLimit(lockoutOf(account).threshold) === 0) return null;
  return Math.max(0, (recheckAtS - time.lo) * 1000, account.retryAtMs - clock.sinceBootMs());
}

/** Milliseconds until something about this account may have changed by time alone; null where only an event can. */
export function sleepMs(account: Account, time: NodeTime, clock: Clock, turn: GroupTurn): number | null {
  const { state } = account.record;
  const waits = isResting(state) ? restingWaits(account, time, clock) : [];
  const inRound = turn !== "alone" && turn !== "closed";
  if (isResting(state) && inRound) waits.push(Math.max(account.startAtMs - clock.sinceBootMs(), refusedRetryMs));
  if (state.phase === "UNKNOWN" && account.orders.some(({ action }) => action === "reconcile"))
    waits.push(Math.max(account.startAtMs - clock.sinceBootMs(), leastPollMs));
  if (state.spent > 0) waits.push(refillLeftMs(account, clock));
  if (!isResting(state) && state.phase !== "UNKNOWN") waits.push(waitFor(account, clock));
  return waits.length === 0 ? null : Math.min(longestSleepMs, ...waits);
}

function restingWaits(account: Account, time: NodeTime, clock: Clock): number[] {
  const start = account.startAtMs - clock.sinceBootMs();
  const waits = account.orders.map(({ window }) => Math.max((window.notBefore - time.lo) * 1000, start, leastPollMs));
  const due = intervalLeftMs(account, time, clock);
  if (due !== null) waits.push(Math.max(due, start, leastPollMs));
  const recheck = recheckLeftMs(account, time, clock);
  if (recheck !== null) waits.push(Math.max(recheck, start, leastPollMs));
  if (account.due !== null) {
    const called = (account.due.atS - time.lo) * 1000;
    waits.push(Math.max(called, start, account.intervalAtMs - clock.sinceBootMs(), leastPollMs));
  }
  return waits;
}

/** How long what an unfinished rotation waits for takes at least. */
function waitFor(account: Account, clock: Clock): number {
  switch (account.waiting) {
    case "ROTATION_BACK_OFF":
      return Math.max(0, account.retryAtMs - clock.sinceBootMs());
    case "ROTATION_UNSETTLED":
      return settleLeftMs(account, clock);
    case "ROTATION_BUDGET_SPENT":
      return longestSleepMs;
    default:
      return refusedRetryMs;
  }
}
