import { refuse } from "./contact.ts";
import { isKeeping } from "./keeping.ts";
import type { RotationEffect, Transition } from "./machine.ts";
import { type RotationState, restingPhase } from "./state.ts";

/** Stages the oldest value of the pool, which must hold one; it stays in the pool until it is sent. */
export function stage(state: RotationState): Transition {
  const [first] = state.pool;
  if (first === undefined) return refuse(state, "ROTATION_POOL_EMPTY");
  return {
    state: { ...state, phase: "STAGED", next: first.ref, pushes: 0 },
    effects: [{ kind: "leaf", action: "rotation.staged", ref: first.ref }],
  };
}

/** The current value is proven live and `next` is refused by policy: stage the next of the pool, or wait for the vault. */
export function afterRejection(state: RotationState, next: number): Transition {
  const unsent = state.pool.filter(({ ref }) => ref === next && !state.candidates.some((sent) => sent.ref === ref));
  const cleared: RotationState = {
    ...state,
    next: null,
    pushes: 0,
    prepared: null,
    pool: state.pool.filter(({ ref }) => ref !== next),
    // What was never sent cannot be live; it is kept all the same.
    history: [...unsent, ...state.history],
  };
  const rejected: RotationEffect[] = [
    { kind: "leaf", action: "rotation.rejected", ref: next },
    { kind: "report", report: "rejected", ref: next, code: null },
  ];
  if (cleared.pool.length > 0) {
    const staged = stage(cleared);
    return { state: staged.state, effects: [...rejected, ...staged.effects] };
  }
  // Where another account set it nothing was proven of this one.
  const phase = cleared.reconciling ? "UNKNOWN" : restingPhase(cleared);
  return {
    state: { ...cleared, phase, currentProven: false },
    effects: [...rejected, { kind: "alarm", code: "ROTATION_POOL_REJECTED", ref: next }],
  };
}

/** Clears `next`; what is not current and was not refused by policy may be staged again: an unsent value is in the pool still, a sent one goes to its front. */
export function returnToPool(state: RotationState): RotationState {
  const { next, pool } = state;
  const unsent = pool.some(({ ref }) => ref === next);
  const again = unsent
    ? []
    : state.candidates.filter(({ ref }) => ref === next && !state.rejected.includes(ref) && !isKeeping(state));
  return { ...state, next: null, pushes: 0, pool: [...again, ...pool] };
}
