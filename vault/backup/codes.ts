import { TidegateError } from "../../protocol/base/index.ts";

export const BACKUP_CODES = {
  /** The file is no backup of a vault, or one of a newer version. */
  BACKUP_FOREIGN: { fault: "operator", retryable: false },
  /** The file ends before the backup does. */
  BACKUP_CUT: { fault: "environment", retryable: false },
  /** The file holds other bytes than were written. */
  BACKUP_DAMAGED: { fault: "environment", retryable: false },
  /** The file cannot be made, or is there already; or it cannot be read. */
  BACKUP_FILE: { fault: "operator", retryable: false },
  /** The file does not read back as what was written, and was removed. */
  BACKUP_NOT_VERIFIED: { fault: "environment", retryable: true },
  /** The store itself is damaged: a backup of it would be of no use. */
  BACKUP_STORE_DAMAGED: { fault: "environment", retryable: false },
} as const;

export class BackupError extends TidegateError<keyof typeof BACKUP_CODES> {
  constructor(code: keyof typeof BACKUP_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(BACKUP_CODES, code, message, options);
  }
}
