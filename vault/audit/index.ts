export { vaultAuditStorage } from "./audit-storage.ts";
export { vaultFeed } from "./forward-feed.ts";
export { dataFolderHolder } from "./lease.ts";
export { vaultMirrorSource } from "./mirror-source.ts";
export { VaultAuditLog, type VaultLogOptions } from "./vault-log.ts";
