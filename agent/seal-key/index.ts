export * from "./errors.ts";
export * from "./seal-key.ts";
export { createKeyFile, leastPassphraseBytes, type PassphraseCost, requireOwnersAlone, type Unlock } from "./unlock.ts";
