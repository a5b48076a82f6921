export { type AttemptRules, budgetNow } from "./attempts.ts";
export { candidatesOf, revealVersions } from "./candidates.ts";
export { RECOVERY_CODES, RecoveryError } from "./codes.ts";
export { escrowAt, type Learned, type LearnedAccount, learnAccount, openEscrows, settleZone } from "./learn.ts";
export { markRestored } from "./mark-restored.ts";
export { beginProbe, endProbe, type ProbeEnd, type ProbeStart } from "./probe.ts";
export { type TakenRoot, takeRoot } from "./take-root.ts";
export type { Voided } from "./void-outstanding.ts";
