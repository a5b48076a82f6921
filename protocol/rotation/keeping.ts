import type { RotationInputs, Transition } from "./machine.ts";
import { type RotationState, restingPhase } from "./state.ts";

/** Notes that the device may forget this value, should it be found live: it was sent, or set by a person, and not saved since. */
export function withUnsaved(state: RotationState, ...refs: readonly number[]): RotationState {
  return { ...state, unsaved: [...new Set([...refs, ...state.unsaved])] };
}

/** True where a save has to follow before the account rests on this value. */
export function owesSave({ unsaved }: RotationState, ref: number, { needsSave }: RotationInputs): boolean {
  return needsSave && unsaved.includes(ref);
}

/** True where the value being saved is current already: it was found live, and nothing is rotated. */
export function isKeeping({ current, next }: RotationState): boolean {
  return next === current;
}

/** → NEW-OK with the current value: it is live, and the device has to be told to keep it. */
export function beginKeeping(state: RotationState): RotationState {
  return { ...state, phase: "NEW-OK", next: state.current };
}

/** The device kept the current value. What it is was reported when it was found. */
export function onKept(state: RotationState): Transition {
  const rested: RotationState = { ...state, next: null, unsaved: state.unsaved.filter((ref) => ref !== state.current) };
  return {
    state: { ...rested, phase: restingPhase(rested) },
    effects: [{ kind: "leaf", action: "rotation.proven", ref: state.current }],
  };
}
