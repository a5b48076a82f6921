import { debit } from "./budget.ts";
import type { RotationCode } from "./codes.ts";
import type { DeviceEffect, RotationEffect, RotationInputs, RotationLeaf, Transition } from "./machine.ts";
import type { DeviceAction, RotationState } from "./state.ts";

/** No change, and what the machine waits for. */
export function waitFor(state: RotationState, code: RotationCode): Transition {
  return { state, effects: [{ kind: "wait", code }] };
}

/** No change, and why. */
export function refuse(state: RotationState, code: RotationCode): Transition {
  return { state, effects: [{ kind: "refuse", code }] };
}

/** Why no login may leave now, or null. */
export function loginBlock(state: RotationState, inputs: RotationInputs): RotationCode | null {
  if (!inputs.backedOff) return "ROTATION_BACK_OFF";
  return state.spent + inputs.spentElsewhere >= inputs.attemptLimit ? "ROTATION_BUDGET_SPENT" : null;
}

interface Contact {
  readonly action: DeviceAction;
  /** The value at stake. */
  readonly ref: number;
  /** The value to authenticate with. */
  readonly login: number;
  /** Default "account". */
  readonly by?: DeviceEffect["by"];
  readonly leaf: RotationLeaf;
  readonly before?: readonly RotationEffect[];
}

/** Debits an attempt and allows one exchange with the device; the state must be durable before it runs. */
export function contact(state: RotationState, { action, ref, login, by = "account", leaf, before = [] }: Contact): Transition {
  const effect: DeviceEffect = {
    kind: "device",
    action,
    ref,
    login,
    by,
    session: action === "push" || action === "prepare" ? "any" : "fresh",
  };
  return {
    state: { ...debit(state), pending: { action, ref } },
    effects: [...before, { kind: "leaf", action: leaf, ref }, effect],
  };
}
