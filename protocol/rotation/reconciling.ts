import { refuse, waitFor } from "./contact.ts";
import type { AdapterAnswer, RotationInputs, Transition } from "./machine.ts";
import { returnToPool, stage } from "./staging.ts";
import { reconcileRefusal } from "./start-rules.ts";
import type { RotationState } from "./state.ts";

/**
 * UNKNOWN → STAGED: another account of the device shall set this one's password anew. What was sent already and perhaps lands still is
 * sent again rather than a further value, so that the list of candidates stays short; proof follows as always, and nothing is forgotten.
 */
export function startReconcile(state: RotationState, inputs: RotationInputs): Transition {
  const code = reconcileRefusal(state, inputs);
  if (code !== null) return refuse(state, code);
  const staged = stage({ ...returnToPool(state), prepared: null, currentProven: false });
  return {
    state: { ...staged.state, reconciling: true },
    effects: [{ kind: "leaf", action: "rotation.reconcile", ref: state.current }, ...staged.effects],
  };
}

/** The reconciler could not make the request: asked again later, but given up where its own login was refused. */
export function onReconcileUnprepared(state: RotationState, next: number, { outcome }: AdapterAnswer): Transition {
  if (outcome !== "REJECTED_AUTH") return waitFor(state, "ROTATION_BACK_OFF");
  return {
    state: { ...returnToPool(state), phase: "UNKNOWN", prepared: null },
    effects: [
      { kind: "leaf", action: "rotation.cancelled", ref: next },
      { kind: "alarm", code: "ROTATION_NO_RECONCILER", ref: next },
    ],
  };
}
