import type { Clock } from "../../agent/seams/index.ts";
import type { RotationCode } from "../../protocol/rotation/index.ts";
import type { Openness } from "../../protocol/time/index.ts";
import type { Account } from "./account.ts";
import { settleLeftMs } from "./inputs.ts";
import { longRetryMs, refusedRetryMs } from "./limits.ts";

/** Refusals that may pass while the order still has its authority. */
export const lastsUntilChanged: ReadonlySet<RotationCode> = new Set([
  "ROTATION_ON_HOLD",
  "ROTATION_BUSY",
  "ROTATION_POOL_EMPTY",
  "ROTATION_NO_SPACE",
  "ROTATION_CONSUMERS_BEHIND",
  "ROTATION_ESCROW_DUE",
  "ROTATION_GROUP_NOT_READY",
  "ROTATION_CLOCK",
  "ROTATION_WINDOW_CLOSED",
  "ROTATION_PERMIT_NEEDED",
  "ROTATION_DEVICE_BUSY",
  "ROTATION_BREAK_GLASS",
  "ROTATION_BUDGET_SPENT",
  "ROTATION_BACK_OFF",
  "ROTATION_UNSETTLED",
  "ROTATION_IDENTITY",
]);

/** What may take days: a value that is staged and not sent is given back then, so that the device is free for its other accounts. */
export const takesLong: ReadonlySet<RotationCode> = new Set([
  "ROTATION_ON_HOLD",
  "ROTATION_GROUP_NOT_READY",
  "ROTATION_NO_RECONCILER",
  "ROTATION_WINDOW_CLOSED",
  "ROTATION_PERMIT_NEEDED",
  "ROTATION_BREAK_GLASS",
]);

/** Milliseconds until a start that was refused so is tried again. */
export function retryAfterMs(account: Account, code: RotationCode, openness: Openness, clock: Clock): number {
  if (code === "ROTATION_UNSETTLED") return settleLeftMs(account, clock);
  // Nobody wakes it when another member of its group has become ready.
  if (!takesLong.has(code) || code === "ROTATION_GROUP_NOT_READY") return refusedRetryMs;
  return openness.kind === "closed" ? Math.min(longRetryMs, Math.max(openness.opensInMs, 1)) : longRetryMs;
}
