export * from "./errors.ts";
export * from "./sqlite-store.ts";
export type * from "./store.ts";
export { viewOf } from "./view-of.ts";
