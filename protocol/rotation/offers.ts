import { type Candidate, type CandidateIndex, compareIndex, everyCandidate, type RotationState } from "./state.ts";

/** A value of the account as a bundle of the vault names it. */
export interface OfferedValue {
  readonly index: CandidateIndex;
  readonly role: "current" | "pool" | "pending";
}

/** What the machine is to be told about one of them. */
export type Offer<Value extends OfferedValue> =
  /** The vault names as current what we reported. */
  | { readonly kind: "acknowledged"; readonly index: CandidateIndex }
  /** The vault names as current what this store has in its pool and never sent: it came back from an older copy. */
  | { readonly kind: "restored" }
  /** Held already; where the fingerprints differ it is a fork. */
  | { readonly kind: "known"; readonly value: Value; readonly candidate: Candidate }
  /** A further one for the pool. */
  | { readonly kind: "issued"; readonly value: Value }
  /** A person gave it. */
  | { readonly kind: "given"; readonly value: Value };

/** What the vault's values mean to an account in this state, oldest first. Taking them twice changes nothing. */
export function offersOf<Value extends OfferedValue>(state: RotationState, values: readonly Value[]): Offer<Value>[] {
  const current = values.find(({ role }) => role === "current");
  const { unacknowledged } = state;
  const offers: Offer<Value>[] = [];
  if (current !== undefined && unacknowledged !== null && compareIndex(unacknowledged, current.index) === 0)
    offers.push({ kind: "acknowledged", index: unacknowledged });
  const isCurrent = ({ index }: Candidate) => current !== undefined && compareIndex(index, current.index) === 0;
  if (state.pool.some(isCurrent) && !state.candidates.some(isCurrent)) offers.push({ kind: "restored" });
  const known = everyCandidate(state);
  const others = values.filter(({ role }) => role !== "pending").toSorted((a, b) => compareIndex(a.index, b.index));
  for (const value of others) {
    const candidate = known.find(({ index }) => compareIndex(index, value.index) === 0);
    if (candidate !== undefined) offers.push({ kind: "known", value, candidate });
    else offers.push({ kind: value.role === "pool" ? "issued" : "given", value });
  }
  return offers;
}
