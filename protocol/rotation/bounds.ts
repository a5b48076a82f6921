import { maxCandidates, maxHistory } from "./limits.ts";
import { type Candidate, compareIndex, type RotationState } from "./state.ts";

/**
 * Keeps a state within what its codec reads back, whatever a device does: where candidates get too many, the oldest that are neither
 * current nor under way go to history. Nothing is forgotten by that, and history is probed too.
 */
export function bounded(state: RotationState): RotationState {
  const { candidates, history, rejected, unsaved } = state;
  const listed = Math.max(candidates.length, rejected.length, unsaved.length);
  if (listed <= maxCandidates && history.length <= maxHistory) return state;
  const oldest = candidates
    .filter(({ ref }) => ref !== state.current && ref !== state.next && ref !== state.pending?.ref)
    .toSorted((a, b) => compareIndex(a.index, b.index));
  const leaving = new Set(oldest.slice(0, Math.max(0, candidates.length - maxCandidates)));
  const kept = candidates.filter((each) => !leaving.has(each));
  const held = new Set([...kept, ...state.pool].map(({ ref }) => ref));
  return {
    ...state,
    candidates: kept,
    history: once([...candidates.filter((each) => leaving.has(each)), ...history]).slice(0, maxHistory),
    rejected: rejected.filter((ref) => held.has(ref)),
    unsaved: unsaved.slice(0, maxCandidates),
  };
}

function once(list: readonly Candidate[]): Candidate[] {
  return [...new Map(list.map((each) => [each.ref, each])).values()];
}
