import { TidegateError } from "../../protocol/base/index.ts";

export const API_CODES = {
  /** No token, or one that no enabled application has. */
  API_UNAUTHENTICATED: { fault: "caller", retryable: false },
  /** Not granted; whether the path exists is not said. */
  API_REFUSED: { fault: "caller", retryable: false },
  /** Granted, but this node holds no value for it. */
  API_NO_VALUE: { fault: "caller", retryable: true },
  /** Granted, but this node held the value in memory only, and has not got it again since its start. */
  API_MEMORY_ONLY: { fault: "environment", retryable: true },
  /** The header X-Tidegate-Request: true is missing. */
  API_HEADER_MISSING: { fault: "caller", retryable: false },
  /** The request comes from a web page. */
  API_ORIGIN_REFUSED: { fault: "caller", retryable: false },
  /** The Host header names something else than this listener. */
  API_HOST_REFUSED: { fault: "caller", retryable: false },
  /** Not a path of a credential. */
  API_PATH_INVALID: { fault: "caller", retryable: false },
  /** What stands behind the path's `?` is no query of this call. */
  API_QUERY_INVALID: { fault: "caller", retryable: false },
  /** The vault was silent for longer than a rule lets this value be served; it is kept. */
  API_STALE: { fault: "environment", retryable: true },
  /** The vault was silent for longer than this value's strict limit; it is kept. */
  API_EXPIRED: { fault: "environment", retryable: true },
  /** Too many reads wait for a change, of this application or in all. */
  API_WAITERS_FULL: { fault: "caller", retryable: true },
  /** The call exists, but not with this method. */
  API_METHOD: { fault: "caller", retryable: false },
  /** Too long a request line. */
  API_URL_TOO_LONG: { fault: "caller", retryable: false },
  /** The configured address cannot be listened on. */
  API_LISTEN: { fault: "operator", retryable: true },
  /** Plain HTTP was configured for an address that others reach. */
  API_LISTEN_UNSAFE: { fault: "operator", retryable: false },
} as const;

export type ApiCode = keyof typeof API_CODES;

export class ApiError extends TidegateError<ApiCode> {
  constructor(code: ApiCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(API_CODES, code, message, options);
  }
}

/** What a read of a value is refused with that an earlier process held in memory only. */
export function memoryOnlyGone(): ApiError {
  return new ApiError("API_MEMORY_ONLY", "this value is kept in memory only, and ended with this node's last process", {
    hint: "The vault was asked for it again: it comes over the tunnel, or with the second stick from now (report out, snapshot back).",
  });
}
