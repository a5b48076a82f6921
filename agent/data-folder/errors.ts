import { TidegateError } from "../../protocol/base/index.ts";

export const DATA_CODES = {
  /** Another process runs on this data folder. */
  DATA_LOCKED: { fault: "operator", retryable: true },
  /** The folder belongs to somebody else, or its group or everybody may enter it. */
  DATA_UNSAFE: { fault: "operator", retryable: false },
  /** The folder or a file in it is missing, cannot be made, read or written. */
  DATA_UNREADABLE: { fault: "operator", retryable: false },
  /** The path leaves no room for a socket's name. */
  DATA_PATH_TOO_LONG: { fault: "operator", retryable: false },
} as const;

export class DataFolderError extends TidegateError<keyof typeof DATA_CODES> {
  constructor(code: keyof typeof DATA_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(DATA_CODES, code, message, options);
  }
}
