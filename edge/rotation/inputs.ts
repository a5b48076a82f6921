import type { Clock } from "../../agent/seams/index.ts";
import { attemptLimit, isResting, type RotationInputs } from "../../protocol/rotation/index.ts";
import type { Openness, TimeInterval } from "../../protocol/time/index.ts";
import { type Account, lockoutOf } from "./account.ts";
import { isBreakGlassFree } from "./break-glass.ts";
import { reconcilerOf } from "./helper.ts";
import { elapsedMs } from "./moment.ts";
import { windowInputs } from "./openness.ts";

/** What the inputs of one account depend on besides itself. */
export interface Surroundings {
  readonly clock: Clock;
  readonly interval: TimeInterval;
  /** What the device's windows say. */
  readonly openness: Openness;
  /** People on the segment hold the device. */
  readonly heldHere: boolean;
  /** A permit runs, or none is asked for. */
  readonly permitted: boolean;
  /** The other accounts of the same device. */
  readonly neighbours: readonly Account[];
  /** It is the account's turn in its group, or it has none. */
  readonly groupReady: boolean;
  readonly spaceReserved: boolean;
  readonly escrowed: boolean;
  /** The device's identity was proven once, or its protocol has none. */
  readonly identityPinned: boolean;
}

/** Everything that the machine may not know by itself. */
export function inputsOf(account: Account, around: Surroundings): RotationInputs {
  const { threshold, shared } = lockoutOf(account);
  // Where the whole device locks, its accounts share one budget.
  const elsewhere = shared ? around.neighbours.reduce((sum, each) => sum + each.record.state.spent, 0) : 0;
  const known = account.device?.model != null && account.content !== null;
  return {
    attemptLimit: known ? attemptLimit(threshold) : 0,
    spentElsewhere: elsewhere,
    policy: account.content?.rotate ?? "never",
    ...windowInputs(account, around.openness, around.interval),
    onHold: account.device?.content.held === true || around.heldHere,
    permitted: around.permitted,
    breakGlassFree: isBreakGlassFree(account, around.neighbours, around.openness, around.clock),
    needsSave: account.device?.model?.needsSave === true,
    settled: settleLeftMs(account, around.clock) === 0,
    backedOff: around.clock.sinceBootMs() >= account.retryAtMs,
    spaceReserved: around.spaceReserved,
    identityPinned: around.identityPinned && !account.identityChanged,
    groupReady: around.groupReady,
    consumersReady: account.content?.consumersReady !== false,
    escrowed: around.escrowed,
    reconcilable: reconcilerOf(account, around.neighbours) !== null,
    deviceFree: !around.neighbours.some(holdsDevice),
  };
}

/** Milliseconds until nothing that was sent can land any more. */
export function settleLeftMs(account: Account, clock: Clock): number {
  const { lastPush } = account.record;
  const settleMs = account.device?.model?.settleMs ?? 0;
  return lastPush === null ? 0 : Math.max(0, settleMs - elapsedMs(lastPush, clock));
}

/** Milliseconds until the attempts of the device's lockout window are forgiven; 0 where none are spent. */
export function refillLeftMs(account: Account, clock: Clock): number {
  const { state, lastAttempt } = account.record;
  if (state.spent === 0) return 0;
  const { windowMs } = lockoutOf(account);
  return lastAttempt === null ? windowMs : Math.max(0, windowMs - elapsedMs(lastAttempt, clock));
}

function holdsDevice(account: Account): boolean {
  const { state } = account.record;
  return account.busy || state.pending !== null || (!isResting(state) && state.phase !== "UNKNOWN");
}
