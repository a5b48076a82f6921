import { settleAttempt } from "./budget.ts";
import { contact, loginBlock, waitFor } from "./contact.ts";
import { isKeeping } from "./keeping.ts";
import { maxProbedHistory } from "./limits.ts";
import type { AdapterAnswer, RotationEffect, RotationInputs, Transition } from "./machine.ts";
import { afterRejection, returnToPool } from "./staging.ts";
import { type Candidate, candidateOf, compareIndex, type RotationState, restingPhase } from "./state.ts";

/** → PROBE: find out which candidate is live. A login that was answered just now counts for this round. */
export function beginProbe(state: RotationState, tried: { refused?: number; unanswered?: number }): Transition {
  const refused = tried.refused === undefined ? [] : [tried.refused];
  const unanswered = tried.unanswered === undefined ? [] : [tried.unanswered];
  return { state: { ...state, phase: "PROBE", pending: null, refused, unanswered, round: 0 }, effects: [] };
}

/**
 * The order to try: new → current → older, but current first where the device's policy refused the new one. The second round goes
 * strictly from newest to oldest, the values of the pool too: a device that reboots in the middle of it falls back to an older value, which is
 * then still ahead.
 */
export function probeOrder(state: RotationState): number[] {
  const { next, current } = state;
  const sent = next !== null && state.candidates.some(({ ref }) => ref === next);
  const first = !sent ? [current] : state.rejected.includes(next) ? [current, next] : [next, current];
  // What this edge never sent, another one in whose place it came may have sent.
  const unsent = state.round === 1 && state.unanswered.length === 0 ? state.pool : [];
  const newest = [...state.candidates, ...unsent].toSorted((a, b) => compareIndex(b.index, a.index));
  // Where a login brings no answer the device is more likely away than restored.
  const history = state.unanswered.length === 0 ? state.history.slice(0, maxProbedHistory) : [];
  return [...new Set([...(state.round === 0 ? first : []), ...refs(newest), ...refs(history)])];
}

function refs(candidates: readonly Candidate[]): number[] {
  return candidates.map(({ ref }) => ref);
}

/** PROBE: the next login, within the budget. */
export function advanceProbe(state: RotationState, inputs: RotationInputs): Transition {
  const ref = probeOrder(state).find((each) => !state.refused.includes(each) && !state.unanswered.includes(each));
  if (ref === undefined) return endRound(state, inputs);
  const block = loginBlock(state, inputs);
  if (block !== null) return waitFor(state, block);
  return contact(state, { action: "verify", ref, login: ref, leaf: "rotation.probe" });
}

/** Every login of the round was refused or brought no answer. */
function endRound(state: RotationState, inputs: RotationInputs): Transition {
  if (state.unanswered.length > 0) {
    return inputs.backedOff
      ? { state: { ...state, refused: [], unanswered: [], round: 0 }, effects: [] }
      : waitFor(state, "ROTATION_BACK_OFF");
  }
  if (state.round === 0) {
    return inputs.settled ? { state: { ...state, refused: [], round: 1 }, effects: [] } : waitFor(state, "ROTATION_UNSETTLED");
  }
  const ref = state.next ?? state.current;
  return {
    state: { ...state, phase: "UNKNOWN", refused: [], unanswered: [], round: 0 },
    effects: [
      { kind: "leaf", action: "rotation.unknown", ref },
      { kind: "report", report: "unknown", ref, code: "ROTATION_UNKNOWN" },
      { kind: "alarm", code: "ROTATION_UNKNOWN", ref },
    ],
  };
}

/** A probing login was answered. */
export function onProbed(state: RotationState, ref: number, answer: AdapterAnswer, inputs: RotationInputs): Transition {
  const idle = settleAttempt(state, answer);
  switch (answer.outcome) {
    case "OK":
      return found(idle, ref, inputs);
    case "NOT_SENT":
      return waitFor(idle, "ROTATION_BACK_OFF");
    case "AMBIGUOUS":
      return waitFor({ ...idle, unanswered: [...state.unanswered, ref] }, "ROTATION_BACK_OFF");
    case "REJECTED_AUTH":
    case "REJECTED_POLICY":
      return { state: { ...idle, refused: [...state.refused, ref] }, effects: [] };
  }
}

function found(state: RotationState, ref: number, inputs: RotationInputs): Transition {
  const clear: RotationState = { ...state, refused: [], unanswered: [], round: 0 };
  if (ref === state.current) return foundCurrent(clear);
  const live = candidateOf(state, ref);
  const current = candidateOf(state, state.current);
  const newer = ref === state.next || (live !== null && current !== null && compareIndex(live.index, current.index) > 0);
  if (!newer) return foundOlder(clear, ref);
  // What a person set on a device that is never written to is believed, and nothing else is done about it.
  const untouched = inputs.policy === "never" && ref !== state.next && !state.unsaved.includes(ref);
  return untouched ? foundGiven(clear, ref) : foundNew(clear, ref);
}

/** → NEW-OK, also where the live one is another value that was issued after the current one. */
function foundNew(state: RotationState, ref: number): Transition {
  const base = ref === state.next ? state : returnToPool(state);
  return {
    state: { ...withCandidate(base, ref), phase: "NEW-OK", next: ref },
    effects: [{ kind: "leaf", action: "rotation.new-ok", ref }],
  };
}

/** The current value works: nothing to resolve, or the same new one is pushed again once nothing can land late. */
function foundCurrent(cleared: RotationState): Transition {
  const state = isKeeping(cleared) ? { ...cleared, next: null } : cleared;
  const { next, current } = state;
  if (next !== null && state.rejected.includes(next)) return afterRejection(state, next);
  if (next !== null) return { state: { ...state, phase: "STAGED", currentProven: false }, effects: [] };
  return {
    state: { ...state, phase: restingPhase(state) },
    effects: [
      { kind: "leaf", action: "rotation.proven", ref: current },
      { kind: "report", report: "proven", ref: current, code: null },
    ],
  };
}

/** A value that a person gave once, and that was refused then, is live now. */
function foundGiven(state: RotationState, ref: number): Transition {
  return {
    state: { ...withCandidate(returnToPool(state), ref), current: ref, unacknowledged: null, phase: "IDLE" },
    effects: [
      { kind: "leaf", action: "rotation.proven", ref },
      { kind: "report", report: "proven", ref, code: null },
    ],
  };
}

/** REVERTED: the device was reset or restored, or an older push was in doubt. What works is current now; nothing is forgotten. */
function foundOlder(state: RotationState, ref: number): Transition {
  const cleared: RotationState = {
    ...withCandidate(returnToPool(state), ref),
    current: ref,
    unacknowledged: null,
    phase: "IDLE",
  };
  const effects: RotationEffect[] = [
    { kind: "leaf", action: "rotation.reverted", ref },
    { kind: "report", report: "reverted", ref, code: "ROTATION_REVERTED" },
    { kind: "alarm", code: "ROTATION_REVERTED", ref },
  ];
  return { state: cleared, effects };
}

/** Puts what is live to the front of the candidates; it leaves pool and history. */
function withCandidate(state: RotationState, ref: number): RotationState {
  const live = candidateOf(state, ref);
  if (live === null) return state;
  const without = (list: readonly Candidate[]) => list.filter((each) => each.ref !== ref);
  return {
    ...state,
    candidates: [live, ...without(state.candidates)],
    pool: without(state.pool),
    history: without(state.history),
  };
}
