import { settleAttempt } from "./budget.ts";
import { contact, loginBlock, waitFor } from "./contact.ts";
import { isKeeping, onKept } from "./keeping.ts";
import type { AdapterAnswer, RotationEffect, RotationInputs, Transition } from "./machine.ts";
import { beginProbe } from "./probing.ts";
import { type CandidateIndex, compareIndex, type RotationState } from "./state.ts";

/** NEW-OK: tell the device to persist. Goes on outside a window and while held: an unsaved change is the worse state. */
export function advanceNewOk(state: RotationState, next: number, inputs: RotationInputs): Transition {
  const block = loginBlock(state, inputs);
  if (block !== null) return waitFor(state, block);
  return contact(state, { action: "save", ref: next, login: next, leaf: "rotation.save" });
}

/** The device answered the save. Anything but a plain yes sends us back to ask what is live. */
export function onSaved(state: RotationState, next: number, answer: AdapterAnswer): Transition {
  const { outcome } = answer;
  const idle = settleAttempt(state, answer);
  if (outcome === "OK") {
    return { state: { ...idle, phase: "SAVED" }, effects: [{ kind: "leaf", action: "rotation.saved", ref: next }] };
  }
  if (outcome === "NOT_SENT") return waitFor(idle, "ROTATION_BACK_OFF");
  const probe = beginProbe(idle, {});
  const alarm: RotationEffect[] =
    outcome === "REJECTED_POLICY" ? [{ kind: "alarm", code: "ROTATION_SAVE_REFUSED", ref: next }] : [];
  return { state: probe.state, effects: [...alarm, ...probe.effects] };
}

/** SAVED: one more login, on a fresh session, that proves what the device kept. */
export function advanceSaved(state: RotationState, next: number, inputs: RotationInputs): Transition {
  const block = loginBlock(state, inputs);
  if (block !== null) return waitFor(state, block);
  return contact(state, { action: "verify", ref: next, login: next, leaf: "rotation.reverify" });
}

/** SAVED → VERIFIED; or the old value came back, which the probe finds out. */
export function onReverified(state: RotationState, next: number, answer: AdapterAnswer): Transition {
  const { outcome } = answer;
  const idle = settleAttempt(state, answer);
  if (outcome === "OK") return isKeeping(idle) ? onKept(idle) : verified(idle, next);
  if (outcome === "NOT_SENT") return waitFor(idle, "ROTATION_BACK_OFF");
  return beginProbe(idle, outcome === "AMBIGUOUS" ? { unanswered: next } : { refused: next });
}

/** The new value is current; the older candidates go to history, where they stay. */
function verified(state: RotationState, next: number): Transition {
  const live = state.candidates.filter(({ ref }) => ref === next);
  const index = live[0]?.index ?? null;
  const overtaken = state.pool.filter((each) => index !== null && compareIndex(each.index, index) < 0);
  const older = [...state.candidates.filter(({ ref }) => ref !== next), ...overtaken];
  return {
    state: {
      ...state,
      phase: "VERIFIED",
      current: next,
      next: null,
      candidates: live,
      pool: state.pool.filter((each) => !overtaken.includes(each)),
      history: [...older, ...state.history],
      rejected: [],
      refused: [],
      unanswered: [],
      pushes: 0,
      unsaved: state.unsaved.filter((ref) => ref !== next),
      currentProven: false,
      prepared: null,
      unacknowledged: index,
    },
    effects: [
      { kind: "leaf", action: "rotation.verified", ref: next },
      { kind: "report", report: "verified", ref: next, code: null },
    ],
  };
}

/** ACKED: the vault has the report. Candidates and history stay as they are. */
export function onAcknowledged(state: RotationState, index: CandidateIndex): Transition {
  const { unacknowledged } = state;
  if (unacknowledged === null || unacknowledged[0] !== index[0] || unacknowledged[1] !== index[1])
    return { state, effects: [] };
  return {
    state: { ...state, unacknowledged: null, phase: state.phase === "VERIFIED" ? "IDLE" : state.phase },
    effects: [{ kind: "leaf", action: "rotation.acknowledged", ref: state.current }],
  };
}
