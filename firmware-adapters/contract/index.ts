export * from "./adapter.ts";
export * from "./codes.ts";
export * from "./outcome.ts";
