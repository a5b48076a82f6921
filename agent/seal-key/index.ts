export * from "./errors.ts";
export * from "./seal-key.ts";
export { createKeyFile, type PassphraseCost, type Unlock } from "./unlock.ts";
