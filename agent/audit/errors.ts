import { TidegateError } from "../../protocol/base/index.ts";

export const AUDIT_LOG_CODES = {
  /** A folder that should hold an audit log holds none, or one that cannot be read. */
  AUDIT_FOLDER_UNREADABLE: { fault: "operator", retryable: false },
  /** A folder of an audit log holds none of its entries: nothing could be verified. */
  AUDIT_FOLDER_EMPTY: { fault: "operator", retryable: false },
  /** The member statement or the root documents beside a log do not prove its keys. */
  AUDIT_FOLDER_KEYS: { fault: "peer", retryable: false },
  /** The plain files of a log do not hold what an export should. */
  AUDIT_EXPORT_BEHIND: { fault: "environment", retryable: true },
  /** An export was asked for from an entry on that the log does not have. */
  AUDIT_EXPORT_RANGE: { fault: "caller", retryable: false },
  /** The disk is nearly full, and what was asked for must not happen without a leaf. */
  AUDIT_FULL: { fault: "environment", retryable: true },
  /** An alarm: four fifths of the disk are in use. */
  AUDIT_SPACE_LOW: { fault: "environment", retryable: true },
  /** An alarm: the disk is nearly full, and only what must be written is. */
  AUDIT_SPACE_SHORT: { fault: "environment", retryable: true },
  /** There is nothing that may be archived. */
  AUDIT_ARCHIVE_NOTHING: { fault: "caller", retryable: true },
  /** It is not proven that a medium holds what is to be freed. */
  AUDIT_ARCHIVE_UNVERIFIED: { fault: "environment", retryable: false },
  /** An anchor is not a checkpoint of the log that is verified. */
  AUDIT_ANCHOR_INVALID: { fault: "operator", retryable: false },
} as const;

/** What is wrong with a log's folder or with what it is to be compared with. */
export class AuditLogError extends TidegateError<keyof typeof AUDIT_LOG_CODES> {
  constructor(code: keyof typeof AUDIT_LOG_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(AUDIT_LOG_CODES, code, message, options);
  }
}
