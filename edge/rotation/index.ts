export { type Account, nameOf } from "./account.ts";
export type { Books } from "./commit.ts";
export { type Adapters, fieldsOf, pinnedIdentity } from "./device-work.ts";
export { type EngineOptions, RotationEngine } from "./engine.ts";
export { allDue, dueAccounts, escrowedAccount } from "./escrow-rows.ts";
export { reservedBytes } from "./limits.ts";
export { type AccountRecord, decodeValue, servedRef, tables, valueId } from "./record.ts";
export { type ModelSource, type SyncOptions, syncAccounts } from "./sync.ts";
