import { TidegateError } from "../../protocol/base/index.ts";

export const STORE_CODES = {
  /** The disk is full: the writer has stopped until the process restarts. */
  STORE_NO_SPACE: { fault: "environment", retryable: false },
  /** The disk refused a write or a sync: the writer has stopped until the process restarts. */
  STORE_IO: { fault: "environment", retryable: false },
  /** The writer stopped earlier; nothing was written. */
  STORE_STOPPED: { fault: "environment", retryable: false },
  /** A row does not unseal, or rows were removed, added or put back. */
  STORE_DAMAGED: { fault: "peer", retryable: false },
  /** Another process holds the store. */
  STORE_LOCKED: { fault: "operator", retryable: true },
  /** The store is older than its high-water mark, or the mark is gone. */
  STORE_ROLLED_BACK: { fault: "peer", retryable: false },
} as const;

export class StoreError extends TidegateError<keyof typeof STORE_CODES> {
  constructor(code: keyof typeof STORE_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(STORE_CODES, code, message, options);
  }
}

const resultCode = { busy: 5, locked: 6, full: 13, corrupt: 11, notDatabase: 26 } as const;

/** What an error of node:sqlite or the file system means here: SQLite's primary result code decides (sqlite.org/rescode.html), or errno. */
export function storeErrorOf(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const primary = primaryResultCode(cause);
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  if (primary === resultCode.full || code === "ENOSPC" || code === "EDQUOT") {
    return new StoreError("STORE_NO_SPACE", "the disk is full", { cause, hint: "Free space, then restart the node." });
  }
  if (primary === resultCode.busy || primary === resultCode.locked) {
    return new StoreError("STORE_LOCKED", "another process holds the store", { cause });
  }
  if (primary === resultCode.corrupt || primary === resultCode.notDatabase) {
    return new StoreError("STORE_DAMAGED", "the store's file is damaged", { cause });
  }
  return new StoreError("STORE_IO", "the disk refused an operation of the store", {
    cause,
    hint: "Look at the kernel's log for this disk, then restart the node.",
  });
}

/** True for what node:sqlite and the file system throw; everything else that a transaction throws is its own business. */
export function isStorageFault(error: unknown): boolean {
  if (error instanceof StoreError) return true;
  return primaryResultCode(error) !== null || (error as NodeJS.ErrnoException | null)?.syscall !== undefined;
}

function primaryResultCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : null;
}
