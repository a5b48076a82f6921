import { settleAttempt } from "./budget.ts";
import { contact, loginBlock, refuse, waitFor } from "./contact.ts";
import type { AdapterAnswer, RotationInputs, Transition } from "./machine.ts";
import { beginProbe } from "./probing.ts";
import { isResting, type RotationState } from "./state.ts";

/** A read-only proof of the current value, by order or as "still true tomorrow?"; the first one is what pins the device's identity. */
export function startVerify(state: RotationState, inputs: RotationInputs): Transition {
  if (state.phase === "UNKNOWN") return refuse(state, "ROTATION_UNKNOWN");
  if (!isResting(state) || state.pending !== null) return refuse(state, "ROTATION_BUSY");
  if (inputs.attemptLimit === 0) return refuse(state, "ROTATION_LOCKOUT_TOO_LOW");
  if (!inputs.deviceFree) return refuse(state, "ROTATION_DEVICE_BUSY");
  const block = loginBlock(state, inputs);
  if (block !== null) return refuse(state, block);
  return contact(state, { action: "verify", ref: state.current, login: state.current, leaf: "rotation.verify" });
}

/** The proof came, or something else is live and the probe finds out what. */
export function onVerified(state: RotationState, ref: number, answer: AdapterAnswer): Transition {
  const { outcome } = answer;
  const idle = settleAttempt(state, answer);
  if (outcome === "OK") {
    return {
      state: idle,
      effects: [
        { kind: "leaf", action: "rotation.proven", ref },
        { kind: "report", report: "proven", ref, code: null },
      ],
    };
  }
  if (outcome === "NOT_SENT") return waitFor(idle, "ROTATION_BACK_OFF");
  if (outcome === "AMBIGUOUS") return waitFor(idle, "ROTATION_BACK_OFF");
  return beginProbe(idle, { refused: ref });
}
