export { firstConfig, type GatewayConfig, gatewayConfigSchema } from "./config.ts";
export { GATEWAY_CODES, GatewayError } from "./errors.ts";
export { type JoinGatewayOptions, joinGateway } from "./join.ts";
export { type GatewayPorts, type GatewayStart, type RunningGateway, start } from "./main.ts";
export type { Conduits, GatewayParts } from "./parts.ts";
