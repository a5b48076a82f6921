export { vaultAuditStorage } from "./audit-storage.ts";
export { vaultMirrorSource } from "./mirror-source.ts";
export { VaultAuditLog, type VaultLogOptions } from "./vault-log.ts";
