import type { Seams } from "../../agent/seams/index.ts";
import type { Outcome } from "../../firmware-adapters/index.ts";
import { type DeviceEffect, isResting, type RotationState } from "../../protocol/rotation/index.ts";
import type { Account } from "./account.ts";
import { backOff } from "./back-off.ts";

/** What a device's answer says about the account beside the machine, before the machine takes it. */
export function noteAnswer(account: Account, { action }: DeviceEffect, outcome: Outcome, seams: Seams): void {
  account.busy = false;
  account.says = outcome.code;
  backOff(account, seams, isUnsure(outcome) || (action === "save" && outcome.kind !== "OK"));
  if (outcome.code === "DEVICE_IDENTITY_CHANGED") account.identityChanged = true;
  else if (outcome.kind === "OK") account.identityChanged = false;
}

/** Only a finished rotation makes up for failures: one that goes in circles goes ever more slowly. */
export function noteProgress(account: Account, before: RotationState, outcome: Outcome, seams: Seams): void {
  const after = account.record.state;
  if (isResting(after) && !isUnsure(outcome)) account.failures = 0;
  else if (after.phase === "STAGED" && before.phase === "PROBE") backOff(account, seams, true);
}

function isUnsure({ kind }: Outcome): boolean {
  return kind === "AMBIGUOUS" || kind === "NOT_SENT";
}
