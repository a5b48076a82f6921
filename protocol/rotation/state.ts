/** (vault epoch, number): names one issued value of one account. */
export type CandidateIndex = readonly [epoch: number, number: number];

/** A value that may be live on the device: the vault or a person gave it. Its fields lie in the sealed store under `ref`. */
export interface Candidate {
  /** Number of the value within its account; never used twice. */
  readonly ref: number;
  readonly index: CandidateIndex;
}

/** Names of 3-rotation's states as the edge knows them; QUARANTINE is a hold on top of one of them. */
export const phases = ["IDLE", "STAGED", "SENT", "PROBE", "NEW-OK", "SAVED", "VERIFIED", "UNKNOWN"] as const;
export type Phase = (typeof phases)[number];

export const holdCauses = ["clock", "fork", "sequence"] as const;
export type HoldCause = (typeof holdCauses)[number];

export const deviceActions = ["prepare", "push", "verify", "save"] as const;
export type DeviceAction = (typeof deviceActions)[number];

/** The exchange that the last transaction allowed and whose result is not recorded yet. */
export interface Pending {
  readonly action: DeviceAction;
  readonly ref: number;
}

/** Everything durable about one account's rotation. No time stands in it: time reaches the machine as inputs. */
export interface RotationState {
  readonly phase: Phase;
  readonly pending: Pending | null;
  /** Ref last proven, adopted or given by a person. */
  readonly current: number;
  /** Ref being rotated to. */
  readonly next: number | null;
  /** May be live now, newest first; always holds `current`, and `next` from SENT on. */
  readonly candidates: readonly Candidate[];
  /** Received and never sent, oldest first. */
  readonly pool: readonly Candidate[];
  /** Superseded, newest first, for the life of the device. */
  readonly history: readonly Candidate[];
  /** Refs that the device's policy refused in this rotation; they stay candidates. */
  readonly rejected: readonly number[];
  /** Refs whose login was refused in this round of probing. */
  readonly refused: readonly number[];
  /** Refs whose login brought no answer in this round. */
  readonly unanswered: readonly number[];
  /** 0: first round, 1: second one, begun when nothing could land late any more. */
  readonly round: 0 | 1;
  /** Attempts of this window that were debited and not credited back. */
  readonly spent: number;
  /** Pushes of `next` that may have reached the device. */
  readonly pushes: number;
  /** Refs that the device may forget where one of them is live: sent or given, and not saved since. */
  readonly unsaved: readonly number[];
  /** True where `current` logged in since `next` was staged. */
  readonly currentProven: boolean;
  /** [next, base] that the sealed request bytes were made for: those are repeated byte for byte or never. */
  readonly prepared: readonly [next: number, base: number] | null;
  readonly hold: HoldCause | null;
  /** True where another account of the device sets what is staged or sent: this one's own password is unknown. */
  readonly reconciling: boolean;
  /** Index whose `verified` report the vault has not acknowledged. */
  readonly unacknowledged: CandidateIndex | null;
}

/** An account as adopted: the given candidate is current, and nothing is rotated by that. */
export function adopted(current: Candidate): RotationState {
  return {
    phase: "IDLE",
    pending: null,
    current: current.ref,
    next: null,
    candidates: [current],
    pool: [],
    history: [],
    rejected: [],
    refused: [],
    unanswered: [],
    round: 0,
    spent: 0,
    pushes: 0,
    unsaved: [],
    currentProven: false,
    prepared: null,
    hold: null,
    reconciling: false,
    unacknowledged: null,
  };
}

/** True where no rotation is under way, so that one may start. */
export function isResting(state: RotationState): boolean {
  return state.phase === "IDLE" || state.phase === "VERIFIED";
}

/** The state's name for people and reports: QUARANTINE hides a resting state only, so that an unfinished rotation stays visible. */
export function stateName(state: RotationState): Phase | "QUARANTINE" {
  return state.hold !== null && isResting(state) ? "QUARANTINE" : state.phase;
}

/** True while the served value may be about to change or is not certain: what an API calls `in-progress`. */
export function isUnsettled(state: RotationState): boolean {
  return !isResting(state) && !(state.phase === "STAGED" && state.pushes === 0 && !state.reconciling);
}

/** The resting phase: VERIFIED until the vault has acknowledged the report, then IDLE. */
export function restingPhase(state: RotationState): Phase {
  return state.unacknowledged === null ? "IDLE" : "VERIFIED";
}

/** Every candidate that this account knows, each once, in the order pool, candidates, history. */
export function everyCandidate(state: RotationState): Candidate[] {
  const seen = new Set<number>();
  return [...state.pool, ...state.candidates, ...state.history].filter(({ ref }) => {
    if (seen.has(ref)) return false;
    seen.add(ref);
    return true;
  });
}

/** The candidate numbered `ref`, or null. */
export function candidateOf(state: RotationState, ref: number): Candidate | null {
  return everyCandidate(state).find((candidate) => candidate.ref === ref) ?? null;
}

/** Below zero where `a` was issued before `b`. */
export function compareIndex(a: CandidateIndex, b: CandidateIndex): number {
  return a[0] - b[0] || a[1] - b[1];
}
