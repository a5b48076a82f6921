export * from "./adapter-host.ts";
export type { HostTimers } from "./adapter-process.ts";
export * from "./limits.ts";
