export * from "./statements.ts";
export * from "./vault-keys.ts";
