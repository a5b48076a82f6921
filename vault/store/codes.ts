import { TidegateError } from "../../protocol/base/index.ts";

export const VAULT_STORE_CODES = {
  /** The disk is full: writing has stopped until the vault is restarted. */
  VAULT_STORE_NO_SPACE: { fault: "environment", retryable: false },
  /** The disk or file system failed: writing has stopped until the vault is restarted. */
  VAULT_STORE_IO: { fault: "environment", retryable: false },
  /** An earlier failure stopped writing; reads go on. */
  VAULT_STORE_STOPPED: { fault: "environment", retryable: false },
  /** Another process held the store longer than we wait. */
  VAULT_STORE_BUSY: { fault: "environment", retryable: true },
  /** The file is not a vault's store, or was written by a newer version. */
  VAULT_STORE_FOREIGN: { fault: "operator", retryable: false },
  /** The store's file is damaged. */
  VAULT_STORE_DAMAGED: { fault: "environment", retryable: false },
} as const;

export class VaultStoreError extends TidegateError<keyof typeof VAULT_STORE_CODES> {
  constructor(code: keyof typeof VAULT_STORE_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(VAULT_STORE_CODES, code, message, options);
  }
}

/** The codes after which the writer stays stopped: an fsync that failed once cannot be trusted when it is repeated. */
export type StoreStop = "VAULT_STORE_NO_SPACE" | "VAULT_STORE_IO" | "VAULT_STORE_DAMAGED";

/** What SQLite's primary result code (https://www.sqlite.org/rescode.html) means to us, or null where it is a bug of ours. */
export function storeErrorOf(cause: unknown): VaultStoreError | null {
  if (!(cause instanceof Error) || !("errcode" in cause) || typeof cause.errcode !== "number") return null;
  switch (cause.errcode & 0xff) {
    case 5:
    case 6:
      return new VaultStoreError("VAULT_STORE_BUSY", "another process holds the store", { cause });
    case 8:
    case 10:
    case 14:
      return new VaultStoreError("VAULT_STORE_IO", "the store's file cannot be written", { cause });
    case 11:
      return new VaultStoreError("VAULT_STORE_DAMAGED", "the store's file is damaged", { cause });
    case 13:
      return new VaultStoreError("VAULT_STORE_NO_SPACE", "no space left for the store", { cause });
    case 26:
      return new VaultStoreError("VAULT_STORE_FOREIGN", "the file is not a store", { cause });
    default:
      return null;
  }
}
