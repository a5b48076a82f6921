export * from "./contract/index.ts";
export * from "./host/index.ts";
export * from "./models/index.ts";
export { changeOutline, type OutlineJob } from "./outline/index.ts";
export { type AdapterName, adapterNames } from "./registry/index.ts";
