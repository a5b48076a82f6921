export * from "./adapter-host.ts";
export type { HostTimers } from "./adapter-process.ts";
export { rotationBudgetMs } from "./job-budget.ts";
export * from "./limits.ts";
