import { TidegateError } from "../../protocol/base/index.ts";

export const HTTP_CODES = {
  /** Body, query or parameters do not fit; `problems` names each. */
  REQUEST_INVALID: { fault: "caller", retryable: false },
  /** No such call. */
  REQUEST_NO_ROUTE: { fault: "caller", retryable: false },
  /** The request is larger than any that this server takes. */
  REQUEST_TOO_LARGE: { fault: "caller", retryable: false },
  /** What was asked for is not there. */
  REQUEST_NOT_FOUND: { fault: "caller", retryable: false },
} as const;

/** One thing that is wrong with an input, all of which are reported together. */
export interface InputProblem {
  /** Key path, `device.port` or `grants[2]`; empty for the whole input. */
  readonly path: string;
  /** Line in the file, from 1; null where the input has no lines. */
  readonly line: number | null;
  /** What stands there: its type, or that it is missing. Never the value, which may be a secret. */
  readonly found: string;
  /** Type and range that would be accepted. */
  readonly expected: string;
}

export class HttpError extends TidegateError<keyof typeof HTTP_CODES> {
  readonly problems: readonly InputProblem[] | undefined;

  constructor(
    code: keyof typeof HTTP_CODES,
    message: string,
    options: { hint?: string; cause?: unknown; problems?: readonly InputProblem[] } = {},
  ) {
    super(HTTP_CODES, code, message, options);
    this.problems = options.problems;
  }
}
