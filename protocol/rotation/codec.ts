import { asBoolean, asList, asTuple, asUint, decodeTcbor, encodeTcbor, orNull, type Tcbor, TcborError } from "../base/index.ts";
import { RotationError } from "./codes.ts";
import { maxCandidates, maxCountedPushes, maxHistory, maxPool } from "./limits.ts";
import { type Candidate, type CandidateIndex, deviceActions, holdCauses, phases, type RotationState } from "./state.ts";

const fields = 19;
const maxUint32 = 0xffffffff;

/** The state as TCBOR: one tuple, so that equal states have equal bytes. */
export function encodeRotation(state: RotationState): Uint8Array {
  const { pending } = state;
  return encodeTcbor([
    phases.indexOf(state.phase),
    pending === null ? null : [deviceActions.indexOf(pending.action), pending.ref],
    state.current,
    state.next,
    state.candidates.map(candidateTuple),
    state.pool.map(candidateTuple),
    state.history.map(candidateTuple),
    state.rejected,
    state.refused,
    state.unanswered,
    state.round,
    state.spent,
    state.pushes,
    state.currentProven,
    state.prepared,
    state.hold === null ? null : holdCauses.indexOf(state.hold),
    state.unacknowledged,
    state.reconciling,
    state.unsaved,
  ]);
}

/** Inverse of {@link encodeRotation}. Throws ROTATION_STATE_MALFORMED. */
export function decodeRotation(bytes: Uint8Array): RotationState {
  try {
    return checked(readState(decodeTcbor(bytes)));
  } catch (cause) {
    if (cause instanceof TcborError) throw new RotationError("ROTATION_STATE_MALFORMED", cause.message);
    throw cause;
  }
}

function readState(value: Tcbor): RotationState {
  const tuple = asTuple(value, "rotation", fields);
  const round = asUint(tuple[10], "rotation.round", 1);
  return {
    phase: pick(phases, tuple[0], "rotation.phase"),
    pending: orNull(tuple[1], (each) => {
      const [action, ref] = asTuple(each, "rotation.pending", 2);
      return { action: pick(deviceActions, action, "rotation.pending.action"), ref: readRef(ref) };
    }),
    current: readRef(tuple[2]),
    next: orNull(tuple[3], readRef),
    candidates: asList(tuple[4], "rotation.candidates", maxCandidates).map(readCandidate),
    pool: asList(tuple[5], "rotation.pool", maxPool).map(readCandidate),
    history: asList(tuple[6], "rotation.history", maxHistory).map(readCandidate),
    rejected: asList(tuple[7], "rotation.rejected", maxCandidates).map(readRef),
    refused: asList(tuple[8], "rotation.refused", maxHistory).map(readRef),
    unanswered: asList(tuple[9], "rotation.unanswered", maxHistory).map(readRef),
    round: round === 0 ? 0 : 1,
    spent: asUint(tuple[11], "rotation.spent", maxUint32),
    pushes: asUint(tuple[12], "rotation.pushes", maxCountedPushes),
    currentProven: asBoolean(tuple[13], "rotation.currentProven"),
    prepared: orNull(tuple[14], (each) => {
      const [next, base] = asTuple(each, "rotation.prepared", 2);
      return [readRef(next), readRef(base)];
    }),
    hold: orNull(tuple[15], (each) => pick(holdCauses, each, "rotation.hold")),
    unacknowledged: orNull(tuple[16], readIndex),
    reconciling: asBoolean(tuple[17], "rotation.reconciling"),
    unsaved: asList(tuple[18], "rotation.unsaved", maxCandidates).map(readRef),
  };
}

/** What the shape alone does not say: the machine's own invariants. */
function checked(state: RotationState): RotationState {
  const known = new Set([...state.candidates, ...state.pool, ...state.history].map(({ ref }) => ref));
  const named = [
    state.current,
    ...(state.next === null ? [] : [state.next]),
    ...(state.pending === null ? [] : [state.pending.ref]),
  ];
  const lost = named.find((ref) => !known.has(ref));
  if (lost !== undefined) throw new RotationError("ROTATION_STATE_MALFORMED", `value ${lost} is named but not held`);
  const needsNext = state.phase === "STAGED" || state.phase === "SENT" || state.phase === "NEW-OK" || state.phase === "SAVED";
  if (needsNext && state.next === null)
    throw new RotationError("ROTATION_STATE_MALFORMED", `${state.phase} without a next value`);
  return state;
}

function candidateTuple({ ref, index }: Candidate): Tcbor {
  return [ref, index];
}

function readCandidate(value: Tcbor): Candidate {
  const [ref, index] = asTuple(value, "candidate", 2);
  return { ref: readRef(ref), index: readIndex(index) };
}

function readIndex(value: Tcbor | undefined): CandidateIndex {
  const [epoch, number] = asTuple(value, "candidate.index", 2);
  return [asUint(epoch, "candidate.index.epoch"), asUint(number, "candidate.index.number")];
}

function readRef(value: Tcbor | undefined): number {
  return asUint(value, "ref", maxUint32);
}

function pick<T>(names: readonly T[], value: Tcbor | undefined, at: string): T {
  const name = names[asUint(value, at, names.length - 1)];
  if (name === undefined) throw new TcborError("TCBOR_SHAPE", `${at}: unknown`);
  return name;
}
