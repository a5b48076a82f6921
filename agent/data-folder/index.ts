export * from "./data-folder.ts";
export * from "./durable-file.ts";
export * from "./errors.ts";
export * from "./run-file.ts";
