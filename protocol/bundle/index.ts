export * from "./body.ts";
export * from "./entry.ts";
export * from "./errors.ts";
export * from "./header.ts";
export * from "./header-fields.ts";
export * from "./limits.ts";
export * from "./state-digest.ts";
export * from "./version-index.ts";
