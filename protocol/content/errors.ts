import { TidegateError } from "../base/index.ts";

export const CONTENT_CODES = {
  /** An entry or fact of a type that this version does not know; inert. */
  CONTENT_UNKNOWN_TYPE: { fault: "peer", retryable: false },
  /** An entry or fact whose payload does not say what its type asks for; inert. */
  CONTENT_MALFORMED: { fault: "peer", retryable: false },
  /** A credential or order of an account that is not there; inert. */
  CONTENT_DANGLING: { fault: "peer", retryable: false },
  /** One account has two different values of one version. */
  CONTENT_VALUE_FORK: { fault: "peer", retryable: false },
  /** A text that is not a path. */
  CONTENT_PATH_INVALID: { fault: "operator", retryable: false },
  /** A text that is not a path pattern. */
  CONTENT_PATTERN_INVALID: { fault: "operator", retryable: false },
  /** Names or values that a credential cannot have. */
  CONTENT_FIELDS_INVALID: { fault: "operator", retryable: false },
} as const;

export type ContentCode = keyof typeof CONTENT_CODES;

/** An entry, fact, path or credential that cannot be used as it is. */
export class ContentError extends TidegateError<ContentCode> {
  constructor(code: ContentCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(CONTENT_CODES, code, message, options);
  }
}
