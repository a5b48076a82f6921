import type { RotationInputs, Transition } from "./machine.ts";
import { isResting, type RotationState, restingPhase } from "./state.ts";

/** Notes that the device may forget this value, should it be found live: it was sent, or set by a person, and not saved since. */
export function withUnsaved(state: RotationState, ...refs: readonly number[]): RotationState {
  return { ...state, unsaved: [...new Set([...refs, ...state.unsaved])] };
}

/** A value that is live, and that the device would forget, is saved before the account rests on it, whichever way it came to rest. */
export function keptFirst(state: RotationState, { needsSave }: RotationInputs): RotationState {
  const owed = isResting(state) && state.pending === null && needsSave && state.unsaved.includes(state.current);
  return owed ? { ...state, phase: "NEW-OK", next: state.current } : state;
}

/** True where the value being saved is current already: it was found live, and nothing is rotated. */
export function isKeeping({ current, next }: RotationState): boolean {
  return next === current;
}

/** The device kept the current value. What it is was reported when it was found. */
export function onKept(state: RotationState): Transition {
  const rested: RotationState = { ...state, next: null, unsaved: state.unsaved.filter((ref) => ref !== state.current) };
  return {
    state: { ...rested, phase: restingPhase(rested) },
    effects: [{ kind: "leaf", action: "rotation.proven", ref: state.current }],
  };
}
