export { MASTER_KEY_CODES, MasterKeyError } from "./codes.ts";
export { type ColumnPlace, ColumnSeal } from "./column-seal.ts";
