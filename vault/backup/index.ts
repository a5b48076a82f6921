export type { BackupHeader } from "./backup-format.ts";
export { BACKUP_CODES, BackupError } from "./codes.ts";
export { type BackupContent, readBackup } from "./read-backup.ts";
export { type BackupMade, writeBackup } from "./write-backup.ts";
