export * from "./applications.ts";
export { Problems, REGISTRY_CODES, RegistryError } from "./codes.ts";
export * from "./credentials.ts";
export * from "./devices.ts";
export * from "./models.ts";
export * from "./nodes.ts";
export * from "./orders.ts";
export type { RegistryContext } from "./registry-context.ts";
export * from "./zones.ts";
