export { type StoreStop, VAULT_STORE_CODES, VaultStoreError } from "./codes.ts";
export { openVaultStore, type VaultStore, type VaultTransaction } from "./open-store.ts";
export type * from "./schema.ts";
