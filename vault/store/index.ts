export { type StoreStop, VAULT_STORE_CODES, VaultStoreError } from "./codes.ts";
export type * from "./node-rows.ts";
export { openVaultStore, type VaultStore, type VaultTransaction } from "./open-store.ts";
export type * from "./order-rows.ts";
export type * from "./plant-rows.ts";
export type { VaultTables } from "./schema.ts";
