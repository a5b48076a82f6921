import { settleAttempt } from "./budget.ts";
import { contact, refuse, waitFor } from "./contact.ts";
import { withUnsaved } from "./keeping.ts";
import { maxCountedPushes } from "./limits.ts";
import type { AdapterAnswer, DeviceOutcome, RotationEffect, RotationInputs, StartCause, Transition } from "./machine.ts";
import { beginProbe } from "./probing.ts";
import { onReconcileUnprepared } from "./reconciling.ts";
import { afterRejection, returnToPool, stage } from "./staging.ts";
import { pushBlock, startRefusal } from "./start-rules.ts";
import { type RotationState, restingPhase } from "./state.ts";

/** IDLE or VERIFIED → STAGED. Everything that can be refused is refused here, before the device is touched. */
export function startRotation(state: RotationState, by: StartCause, inputs: RotationInputs): Transition {
  const code = startRefusal(state, by, inputs);
  return code === null ? stage(state) : refuse(state, code);
}

/** STAGED: prove the current value and fix the request, then send it. Making the request is a login with the current value too. */
export function advanceStaged(state: RotationState, next: number, inputs: RotationInputs): Transition {
  const alone = state.reconciling && !inputs.reconcilable;
  const block = alone ? "ROTATION_NO_RECONCILER" : pushBlock(state, inputs);
  if (block !== null) return waitFor(state, block);
  const login = state.current;
  if (state.prepared?.[0] !== next || state.prepared[1] !== login) {
    return contact(state, { action: "prepare", ref: next, login, by: changer(state), leaf: "rotation.preflight" });
  }
  // Of an account that another one sets nothing can be proven before.
  if (state.currentProven || state.reconciling) return send(state, next);
  return contact(state, { action: "verify", ref: login, login, leaf: "rotation.preflight" });
}

/** STAGED → SENT: the value is a candidate, durably, before the first packet of the push. */
function send(state: RotationState, next: number): Transition {
  const candidate = [...state.pool, ...state.candidates, ...state.history].find(({ ref }) => ref === next);
  const others = state.candidates.filter(({ ref }) => ref !== next);
  const sent: RotationState = {
    ...withUnsaved(state, next),
    phase: "SENT",
    candidates: candidate === undefined ? others : [candidate, ...others],
    pool: state.pool.filter(({ ref }) => ref !== next),
    history: state.history.filter(({ ref }) => ref !== next),
    pushes: Math.min(state.pushes + 1, maxCountedPushes),
    prepared: [next, state.current],
  };
  const before: RotationEffect[] =
    sent.pushes === maxCountedPushes && state.pushes < maxCountedPushes
      ? [{ kind: "alarm", code: "ROTATION_NO_ANSWER", ref: next }]
      : [];
  return contact(sent, { action: "push", ref: next, login: state.current, by: changer(state), leaf: "rotation.sent", before });
}

function changer({ reconciling }: RotationState): "account" | "reconciler" {
  return reconciling ? "reconciler" : "account";
}

/**
 * The request is made and the current value proven by that: the transaction of SENT stores both. Where something came in
 * between, what was made is dropped; it was never sent.
 */
export function onPrepared(state: RotationState, next: number, answer: AdapterAnswer, inputs: RotationInputs): Transition {
  const idle = settleAttempt(state, answer);
  if (answer.outcome === "REJECTED_POLICY") return rejectUnsent(idle, next);
  if (answer.outcome !== "OK")
    return state.reconciling ? onReconcileUnprepared(idle, next, answer) : onPreflightFailed(idle, answer.outcome);
  const block = pushBlock(idle, inputs);
  return block === null ? send(idle, next) : waitFor(idle, block);
}

/** The preflight login with the current value was answered. */
export function onPreflight(state: RotationState, answer: AdapterAnswer): Transition {
  const idle = settleAttempt(state, answer);
  if (answer.outcome !== "OK") return onPreflightFailed(idle, answer.outcome);
  return { state: { ...idle, currentProven: true }, effects: [] };
}

function onPreflightFailed(state: RotationState, outcome: DeviceOutcome): Transition {
  if (outcome === "NOT_SENT") return waitFor(state, "ROTATION_BACK_OFF");
  if (outcome !== "AMBIGUOUS") return beginProbe(state, { refused: state.current });
  // Nothing was sent yet, so nothing can be in doubt: ask again later.
  return state.pushes === 0 ? waitFor(state, "ROTATION_BACK_OFF") : beginProbe(state, { unanswered: state.current });
}

/** SENT → PROBE, or back to STAGED where provably nothing left. Nothing here is ever "failed". */
export function onPushed(state: RotationState, next: number, answer: AdapterAnswer): Transition {
  const idle: RotationState = { ...settleAttempt(state, answer), currentProven: false };
  if (answer.outcome === "NOT_SENT") return waitFor({ ...idle, phase: "STAGED" }, "ROTATION_BACK_OFF");
  if (answer.outcome !== "REJECTED_POLICY") return beginProbe(idle, {});
  return beginProbe(withRejected(idle, next), {});
}

/** The pool's value cannot even be written for this device: terminal, and nothing was sent with it. */
function rejectUnsent(state: RotationState, next: number): Transition {
  return afterRejection(withRejected(state, next), next);
}

function withRejected(state: RotationState, next: number): RotationState {
  return { ...state, rejected: [...state.rejected.filter((ref) => ref !== next), next] };
}

/** Gives up what was staged. A value that was sent stays a candidate and can be staged again. */
export function cancelRotation(state: RotationState): Transition {
  if (state.phase !== "STAGED" || state.pending !== null || state.next === null) return refuse(state, "ROTATION_NOT_NOW");
  const cleared = returnToPool(state);
  return {
    state: { ...cleared, phase: state.reconciling ? "UNKNOWN" : restingPhase(state), currentProven: false },
    effects: [{ kind: "leaf", action: "rotation.cancelled", ref: state.next }],
  };
}
