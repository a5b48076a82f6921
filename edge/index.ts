export type { AccountStatus } from "./admin-routes.ts";
export { type EdgeConfig, edgeConfigSchema, firstConfig } from "./config.ts";
export { EDGE_CODES, EdgeError } from "./errors.ts";
export { type JoinEdgeOptions, joinEdge } from "./join.ts";
export { type EdgePorts, type EdgeStart, type RunningEdge, start } from "./main.ts";
export type { SiteStatus } from "./site-routes.ts";
