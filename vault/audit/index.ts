export { vaultAuditStorage } from "./audit-storage.ts";
export { vaultFeed } from "./forward-feed.ts";
export { dataFolderHolder } from "./lease.ts";
export { vaultMirrorSource } from "./mirror-source.ts";
export { VaultAuditLog } from "./vault-log.ts";
export type { VaultLogOptions } from "./vault-log-options.ts";
