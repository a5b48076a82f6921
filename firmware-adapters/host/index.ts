export * from "./adapter-host.ts";
export type { HostTimers } from "./adapter-process.ts";
export { jobBudgetMs } from "./job-budget.ts";
export * from "./limits.ts";
