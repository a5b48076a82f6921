import { refuse } from "./contact.ts";
import { isKeeping, withUnsaved } from "./keeping.ts";
import { maxPool } from "./limits.ts";
import type { RotationInputs, Transition } from "./machine.ts";
import { beginProbe } from "./probing.ts";
import { returnToPool } from "./staging.ts";
import { type Candidate, compareIndex, everyCandidate, type HoldCause, isResting, type RotationState } from "./state.ts";

/** The process started: an answer that never came is AMBIGUOUS, and its attempt stays debited. */
export function onRestart(state: RotationState): Transition {
  const idle: RotationState = { ...state, pending: null, currentProven: false };
  return state.phase === "SENT" ? beginProbe(idle, {}) : { state: idle, effects: [] };
}

/**
 * The store came back from a backup: a value of the pool may have been sent since, attempts may have been made, and
 * newer values may exist. Held until a snapshot answers our nonce; meanwhile everything known is probed, a window from now.
 */
export function onRestored(state: RotationState, inputs: RotationInputs): Transition {
  const perhapsSent = state.pool.filter(({ ref }) => !state.candidates.some((known) => known.ref === ref));
  const candidates = [...perhapsSent.toReversed(), ...state.candidates];
  const doubted = withUnsaved(state, ...perhapsSent.map(({ ref }) => ref));
  const probe = beginProbe({ ...doubted, candidates, currentProven: false, prepared: null }, {});
  return {
    state: { ...probe.state, hold: "sequence", spent: Math.max(state.spent, inputs.attemptLimit) },
    effects: [
      { kind: "leaf", action: "rotation.restored", ref: state.current },
      { kind: "leaf", action: "rotation.held", ref: state.current },
    ],
  };
}

/** A further value of the vault, for the pool. The same one again changes nothing. */
export function onIssued(state: RotationState, candidate: Candidate): Transition {
  if (knows(state, candidate)) return { state, effects: [] };
  const { next, pool, rejected } = state;
  const sent = next !== null && !isKeeping(state) && !pool.some(({ ref }) => ref === next) && !rejected.includes(next);
  if (pool.length + (sent ? 1 : 0) >= maxPool) return refuse(state, "ROTATION_POOL_FULL");
  return { state: { ...state, pool: [...pool, candidate] }, effects: [] };
}

/**
 * A person says what is live: it becomes current, and is believed after a login. Nothing known is dropped, but what was issued
 * before it is staged no more: the vault counts it as superseded, and would not take a later success of it for the newest. Nothing is
 * written to a device whose account is never rotated, so whoever set it there has it saved.
 */
export function onGiven(state: RotationState, candidate: Candidate, { policy }: RotationInputs): Transition {
  if (knows(state, candidate)) return { state, effects: [] };
  const calm = isResting(state) || state.phase === "UNKNOWN" || state.phase === "PROBE" || state.phase === "STAGED";
  if (!calm || state.pending !== null) return refuse(state, "ROTATION_BUSY");
  const base = retirePool(returnToPool({ ...state, currentProven: false, unacknowledged: null }), candidate);
  const kept = policy === "never" ? base : withUnsaved(base, candidate.ref);
  const probe = beginProbe({ ...kept, current: candidate.ref, candidates: [candidate, ...base.candidates] }, {});
  return { state: probe.state, effects: [{ kind: "leaf", action: "rotation.given", ref: candidate.ref }] };
}

/** Takes what was issued before `given` out of the pool; what was never sent goes behind all that once was live. */
function retirePool(state: RotationState, given: Candidate): RotationState {
  const isOlder = ({ index }: Candidate) => compareIndex(index, given.index) < 0;
  const unsent = state.pool.filter((each) => isOlder(each) && !state.candidates.some(({ ref }) => ref === each.ref));
  const pool = state.pool.filter((each) => !isOlder(each));
  return { ...state, prepared: null, pool, history: [...state.history, ...unsent.toReversed()] };
}

/** UNKNOWN → PROBE by an operator, who has seen to the device. */
export function onRetry(state: RotationState): Transition {
  if (state.phase !== "UNKNOWN") return refuse(state, "ROTATION_NOT_NOW");
  const probe = beginProbe(state, {});
  return { state: probe.state, effects: [{ kind: "leaf", action: "rotation.retried", ref: state.current }] };
}

/** QUARANTINE: readable, and an unfinished rotation may be resolved, but nothing new starts. The first cause stays. */
export function onHold(state: RotationState, cause: HoldCause): Transition {
  if (state.hold !== null) return { state, effects: [] };
  return { state: { ...state, hold: cause }, effects: [{ kind: "leaf", action: "rotation.held", ref: state.current }] };
}

/** Ends the quarantine. */
export function onRelease(state: RotationState): Transition {
  if (state.hold === null) return refuse(state, "ROTATION_NOT_NOW");
  return { state: { ...state, hold: null }, effects: [{ kind: "leaf", action: "rotation.released", ref: state.current }] };
}

function knows(state: RotationState, { ref, index }: Candidate): boolean {
  return everyCandidate(state).some(
    (known) => known.ref === ref || (known.index[0] === index[0] && known.index[1] === index[1]),
  );
}
