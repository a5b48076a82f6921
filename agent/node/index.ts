export type * from "./contracts.ts";
export { NODE_CODES, NodeError } from "./errors.ts";
