export { auditShape, firstAudit } from "./audit-shape.ts";
export * from "./changed-keys.ts";
export * from "./config.ts";
export { loadConfigOf } from "./config-role.ts";
export * from "./errors.ts";
export { type ForwardTarget, forwardShape } from "./forward-shape.ts";
export * from "./node-shapes.ts";
export * from "./way.ts";
