export { VAULT_INIT_CODES, VaultInitError } from "./codes.ts";
export { type InitOptions, type InitResult, initVault } from "./init-vault.ts";
