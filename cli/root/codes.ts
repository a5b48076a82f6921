import { TidegateError } from "../../protocol/base/index.ts";

export const ROOT_CODES = {
  /** The file is no draft of a root, or was altered. */
  ROOT_DRAFT: { fault: "operator", retryable: false },
  /** Two files hold drafts of different roots. */
  ROOT_DRAFT_DIFFERS: { fault: "operator", retryable: false },
  /** The key is neither one of the present root nor one of the draft. */
  ROOT_KEY_FOREIGN: { fault: "operator", retryable: false },
  /** The change cannot be made: nothing changes, a key is there already or not there, or the threshold cannot be met. */
  ROOT_CHANGE: { fault: "operator", retryable: false },
} as const;

export class RootError extends TidegateError<keyof typeof ROOT_CODES> {
  constructor(code: keyof typeof ROOT_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(ROOT_CODES, code, message, options);
  }
}
