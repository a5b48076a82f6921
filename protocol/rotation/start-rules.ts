import type { RotationCode } from "./codes.ts";
import type { RotationInputs, StartCause } from "./machine.ts";
import { returnToPool } from "./staging.ts";
import { isResting, type RotationState } from "./state.ts";

/** One reason for which nothing may begin now. */
interface StartRule {
  readonly code: RotationCode;
  /** `by` is null where it is asked again right before the push. */
  blocks(state: RotationState, inputs: RotationInputs, by: StartCause | null): boolean;
}

const restRules: readonly StartRule[] = [
  { code: "ROTATION_UNKNOWN", blocks: ({ phase }) => phase === "UNKNOWN" },
  { code: "ROTATION_BUSY", blocks: (state) => state.phase !== "UNKNOWN" && (!isResting(state) || state.pending !== null) },
];

/** What forbids to change anything on the device; asked again right before the push. */
const changeRules: readonly StartRule[] = [
  { code: "ROTATION_HELD", blocks: ({ hold }) => hold !== null },
  { code: "ROTATION_ON_HOLD", blocks: (_, { onHold }) => onHold },
  {
    code: "ROTATION_NOT_ALLOWED",
    blocks: (_, { policy }, by) => policy === "never" || (by === "interval" && policy !== "interval"),
  },
  { code: "ROTATION_LOCKOUT_TOO_LOW", blocks: (_, { attemptLimit }) => attemptLimit === 0 },
  { code: "ROTATION_NO_SPACE", blocks: (_, { spaceReserved }) => !spaceReserved },
  { code: "ROTATION_ESCROW_DUE", blocks: (_, { escrowed }) => !escrowed },
  { code: "ROTATION_CONSUMERS_BEHIND", blocks: (_, { consumersReady }) => !consumersReady },
  { code: "ROTATION_GROUP_NOT_READY", blocks: (_, { groupReady }) => !groupReady },
  { code: "ROTATION_CLOCK", blocks: (_, { clockFit }) => !clockFit },
  { code: "ROTATION_WINDOW_CLOSED", blocks: (_, { clockFit, windowOpen }) => clockFit && !windowOpen },
  { code: "ROTATION_PERMIT_NEEDED", blocks: (_, { permitted }) => !permitted },
  { code: "ROTATION_DEVICE_BUSY", blocks: (_, { deviceFree }) => !deviceFree },
  { code: "ROTATION_BREAK_GLASS", blocks: (_, { breakGlassFree }) => !breakGlassFree },
  { code: "ROTATION_UNSETTLED", blocks: (_, { settled }) => !settled },
];

const poolRule: StartRule = { code: "ROTATION_POOL_EMPTY", blocks: ({ pool }) => pool.length === 0 };

const loginRules: readonly StartRule[] = [
  { code: "ROTATION_BACK_OFF", blocks: (_, { backedOff }) => !backedOff },
  {
    code: "ROTATION_BUDGET_SPENT",
    blocks: ({ spent }, { attemptLimit, spentElsewhere }) => attemptLimit > 0 && spent + spentElsewhere >= attemptLimit,
  },
];

/** The last, because the shell answers it with a proof: that one goes out only where nothing else is in the way. */
const identityRule: StartRule = { code: "ROTATION_IDENTITY", blocks: (_, { identityPinned }) => !identityPinned };

const reconcileRules: readonly StartRule[] = [
  { code: "ROTATION_NOT_NOW", blocks: ({ phase, pending }) => phase !== "UNKNOWN" || pending !== null },
  { code: "ROTATION_NO_RECONCILER", blocks: (_, { reconcilable }) => !reconcilable },
  ...changeRules,
  // What was sent is sent again.
  { code: "ROTATION_POOL_EMPTY", blocks: (state) => returnToPool(state).pool.length === 0 },
  ...loginRules,
  identityRule,
];

const startRules: readonly StartRule[] = [...restRules, ...changeRules, poolRule, ...loginRules, identityRule];

const pushRules: readonly StartRule[] = [...changeRules, identityRule, ...loginRules];

/** What was asked before a rotation begins, in that order, and whether it stands in the way. */
export interface StartCheck {
  readonly code: RotationCode;
  readonly blocks: boolean;
}

/** Everything that is asked before a rotation begins. */
export function startChecks(state: RotationState, by: StartCause, inputs: RotationInputs): StartCheck[] {
  return startRules.map(({ code, blocks }) => ({ code, blocks: blocks(state, inputs, by) }));
}

/** Why no rotation may begin, or null. */
export function startRefusal(state: RotationState, by: StartCause, inputs: RotationInputs): RotationCode | null {
  return startRules.find(({ blocks }) => blocks(state, inputs, by))?.code ?? null;
}

/** Why no other account may set this one's password, or null. */
export function reconcileRefusal(state: RotationState, inputs: RotationInputs): RotationCode | null {
  return reconcileRules.find(({ blocks }) => blocks(state, inputs, "order"))?.code ?? null;
}

/** Why nothing may be sent for a rotation that has begun, or null. */
export function pushBlock(state: RotationState, inputs: RotationInputs): RotationCode | null {
  return pushRules.find(({ blocks }) => blocks(state, inputs, null))?.code ?? null;
}
