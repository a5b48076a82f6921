import type { RotationCode } from "../../protocol/rotation/index.ts";

/** Refusals that may pass while the order still has its authority. */
export const lastsUntilChanged: ReadonlySet<RotationCode> = new Set([
  "ROTATION_BUSY",
  "ROTATION_POOL_EMPTY",
  "ROTATION_NO_SPACE",
  "ROTATION_CONSUMERS_BEHIND",
  "ROTATION_ESCROW_DUE",
  "ROTATION_CLOCK",
  "ROTATION_WINDOW_CLOSED",
  "ROTATION_DEVICE_BUSY",
  "ROTATION_BUDGET_SPENT",
  "ROTATION_BACK_OFF",
  "ROTATION_UNSETTLED",
  "ROTATION_IDENTITY",
]);
