export * from "./assert.ts";
export * from "./bytes.ts";
export * from "./errors.ts";
export * from "./secret.ts";
export * from "./sha256.ts";
export * from "./sha256-lanes.ts";
export * from "./shape.ts";
export * from "./tcbor.ts";
