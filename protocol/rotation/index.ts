export { attemptLimit, type LockoutBudget, type LockoutThreshold, lockoutBudget } from "./budget.ts";
export { decodeRotation, encodeRotation } from "./codec.ts";
export { ROTATION_CODES, type RotationCode, RotationError } from "./codes.ts";
export { decodeEscrowList, type EscrowedAccount, type EscrowedValue, encodeEscrowList } from "./escrow-list.ts";
export * from "./ledger.ts";
export { maxGroupMembers, maxHistory, maxPool } from "./limits.ts";
export type {
  AdapterAnswer,
  DeviceEffect,
  DeviceOutcome,
  ReportKind,
  RotationEffect,
  RotationEvent,
  RotationInputs,
  RotationLeaf,
  StartCause,
  Transition,
} from "./machine.ts";
export { type Offer, type OfferedValue, offersOf } from "./offers.ts";
export { probeOrder } from "./probing.ts";
export { type StartCheck, startChecks } from "./start-rules.ts";
export {
  adopted,
  type Candidate,
  type CandidateIndex,
  candidateOf,
  compareIndex,
  everyCandidate,
  type HoldCause,
  isResting,
  isUnsettled,
  type Phase,
  type RotationState,
  stateName,
} from "./state.ts";
export { step } from "./step.ts";
