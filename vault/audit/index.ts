export { vaultAuditStorage } from "./audit-storage.ts";
export { VaultAuditLog, type VaultLogOptions } from "./vault-log.ts";
