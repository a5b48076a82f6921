import { unreachable } from "../base/index.ts";
import { bounded } from "./bounds.ts";
import { advanceNewOk, advanceSaved, onAcknowledged, onReverified, onSaved } from "./finishing.ts";
import { onGiven, onHold, onIssued, onRelease, onRestart, onRestored, onRetry } from "./interrupting.ts";
import { keptFirst } from "./keeping.ts";
import type { AdapterAnswer, RotationEvent, RotationInputs, Transition } from "./machine.ts";
import { advanceProbe, onProbed } from "./probing.ts";
import { startReconcile } from "./reconciling.ts";
import { advanceStaged, cancelRotation, onPreflight, onPrepared, onPushed, startRotation } from "./starting.ts";
import type { RotationState } from "./state.ts";
import { onVerified, startVerify } from "./verifying.ts";

/**
 * The rotation of one account, one arrow at a time. The new state, with the effects that belong into its transaction, is durable
 * before a `device` effect runs; its answer comes back as an event. An event that does not fit changes nothing.
 */
export function step(state: RotationState, event: RotationEvent, inputs: RotationInputs): Transition {
  const to = taken(state, event, inputs);
  const kept = bounded(withoutReconciler(keptFirst(to.state, inputs)));
  return kept === to.state ? to : { ...to, state: kept };
}

/** Who sets a value matters until it was sent; whatever is live then is found out in the usual way. */
function withoutReconciler(state: RotationState): RotationState {
  const needed = !state.reconciling || state.phase === "STAGED" || state.phase === "SENT";
  return needed ? state : { ...state, reconciling: false };
}

function taken(state: RotationState, event: RotationEvent, inputs: RotationInputs): Transition {
  switch (event.kind) {
    case "tick":
      return advance(state, inputs);
    case "answer":
      return answered(state, event, inputs);
    case "restart":
      return onRestart(state);
    case "restored":
      return onRestored(state, inputs);
    case "issued":
      return onIssued(state, event.candidate);
    case "given":
      return onGiven(state, event.candidate, inputs);
    case "rotate":
      return startRotation(state, event.by, inputs);
    case "verify":
      return startVerify(state, inputs);
    case "cancel":
      return cancelRotation(state);
    case "refill":
      // A login that is under way may still be counted by the device after its window began anew.
      return { state: state.pending === null ? { ...state, spent: 0 } : state, effects: [] };
    case "acknowledged":
      return onAcknowledged(state, event.index);
    case "hold":
      return onHold(state, event.cause);
    case "release":
      return onRelease(state);
    case "retry":
      return onRetry(state);
    case "reconcile":
      return startReconcile(state, inputs);
    default:
      return unreachable(event);
  }
}

function advance(state: RotationState, inputs: RotationInputs): Transition {
  const nothing: Transition = { state, effects: [] };
  if (state.pending !== null) return nothing;
  switch (state.phase) {
    case "STAGED":
      return state.next === null ? nothing : advanceStaged(state, state.next, inputs);
    case "PROBE":
      return advanceProbe(state, inputs);
    case "NEW-OK":
      return state.next === null ? nothing : advanceNewOk(state, state.next, inputs);
    case "SAVED":
      return state.next === null ? nothing : advanceSaved(state, state.next, inputs);
    case "IDLE":
    case "VERIFIED":
    case "SENT":
    case "UNKNOWN":
      return nothing;
    default:
      return unreachable(state.phase);
  }
}

/** An answer counts only for what is pending: one that comes after a restart, or twice, is no news. */
function answered(state: RotationState, answer: AdapterAnswer, inputs: RotationInputs): Transition {
  const { action, ref } = answer;
  if (state.pending?.action !== action || state.pending.ref !== ref) return { state, effects: [] };
  switch (state.phase) {
    case "STAGED":
      return action === "prepare" ? onPrepared(state, ref, answer, inputs) : onPreflight(state, answer);
    case "SENT":
      return onPushed(state, ref, answer);
    case "PROBE":
      return onProbed(state, ref, answer, inputs);
    case "NEW-OK":
      return onSaved(state, ref, answer);
    case "SAVED":
      return onReverified(state, ref, answer);
    case "IDLE":
    case "VERIFIED":
      return onVerified(state, ref, answer);
    case "UNKNOWN":
      return { state, effects: [] };
    default:
      return unreachable(state.phase);
  }
}
