export * from "./adapter-names.ts";
export * from "./load-adapter.ts";
