export * from "./errors.ts";
export * from "./input-problem.ts";
export * from "./problem.ts";
