import { maxAttemptsWithoutLockout, noLockoutWindowS, unknownLockoutWindowS } from "./limits.ts";
import type { AdapterAnswer } from "./machine.ts";
import type { RotationState } from "./state.ts";

/** A device's lockout as its model states it: wrong logins until it locks, "unknown", or "none" where it never locks. */
export type LockoutThreshold = number | "unknown" | "none";

/**
 * Attempts allowed per lockout window: two below the threshold, so that one is always left for a human and one typo
 * locks nobody out. Unknown allows one (per 30 minutes); two or less allows none.
 */
export function attemptLimit(threshold: LockoutThreshold): number {
  if (threshold === "unknown") return 1;
  if (threshold === "none") return maxAttemptsWithoutLockout;
  return Math.min(Math.max(threshold - 2, 0), maxAttemptsWithoutLockout);
}

/** A lockout as a device's model states it. */
export type StatedLockout =
  | "unknown"
  | "none"
  | { readonly tries: number; readonly windowS: number; readonly durationS: number; readonly scope: "account" | "device" };

/** What the attempt budget goes by. */
export interface LockoutBudget {
  readonly threshold: LockoutThreshold;
  /** Milliseconds after the last attempt until all are forgiven. */
  readonly windowMs: number;
  /** The whole device locks: its accounts share one budget. */
  readonly shared: boolean;
}

/** The budget that a model's lockout leaves. */
export function lockoutBudget(lockout: StatedLockout): LockoutBudget {
  if (lockout === "unknown") return { threshold: "unknown", windowMs: unknownLockoutWindowS * 1000, shared: false };
  if (lockout === "none") return { threshold: "none", windowMs: noLockoutWindowS * 1000, shared: false };
  // An attempt made while the device was locked counts from the end of the lock on most makes, so both times pass.
  const windowMs = (lockout.windowS + lockout.durationS) * 1000;
  return { threshold: lockout.tries, windowMs, shared: lockout.scope === "device" };
}

/** Takes one attempt; stored before the login leaves. */
export function debit(state: RotationState): RotationState {
  return { ...state, spent: state.spent + 1 };
}

/** Records an answer: the attempt comes back where the device accepted the login or none can have reached it. */
export function settleAttempt(state: RotationState, answer: AdapterAnswer): RotationState {
  const keep = answer.spent && answer.outcome !== "OK" && answer.outcome !== "NOT_SENT";
  return {
    ...state,
    pending: null,
    spent: keep ? state.spent : Math.max(state.spent - 1, 0),
    prepared: answer.prepareAgain ? null : state.prepared,
  };
}
