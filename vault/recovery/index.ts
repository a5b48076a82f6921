export { type AttemptRules, budgetNow } from "./attempts.ts";
export { candidatesOf, revealVersions } from "./candidates.ts";
export { beginProbe, endProbe, type ProbeEnd, type ProbeStart } from "./probe.ts";
