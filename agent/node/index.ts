export type * from "./contracts.ts";
export { everyRow } from "./entry-rows.ts";
export { NODE_CODES, NodeError } from "./errors.ts";
export { type JoinAsk, type JoinNodeOptions, joinedMember, joinNode, type TryJoinOptions, tryJoin } from "./join-node.ts";
export { isTrusted, upstreamOf } from "./joined-node.ts";
export { gaugeHop, type Hop, hopStatus } from "./hop.ts";
export { type HealthParts, nodeHealth, vaultSilentS } from "./node-health.ts";
export { nodeMailroom, type ReportOutgoing, reportOutgoing } from "./node-mailroom.ts";
export { type OpenedNode, type OpenNodeOptions, openNode, openNodeStore } from "./open-node.ts";
