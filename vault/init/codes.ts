import { TidegateError } from "../../protocol/base/index.ts";

export const VAULT_INIT_CODES = {
  /** The data folder is there and not empty; a vault is never made over anything. */
  VAULT_FOLDER_NOT_EMPTY: { fault: "operator", retryable: false },
  /** A name or the trust domain is not of the allowed form. */
  VAULT_INIT_INVALID: { fault: "operator", retryable: false },
} as const;

export class VaultInitError extends TidegateError<keyof typeof VAULT_INIT_CODES> {
  constructor(code: keyof typeof VAULT_INIT_CODES, message: string, hint?: string) {
    super(VAULT_INIT_CODES, code, message, hint === undefined ? {} : { hint });
  }
}
