import { TidegateError } from "../../protocol/base/index.ts";

export const PROXY_CODES = {
  /** A login for the HTTP proxy is not of the form user:password. */
  PROXY_LOGIN_MALFORMED: { fault: "operator", retryable: false },
} as const;

/** A proxy's login that cannot be used. */
export class ProxyError extends TidegateError<keyof typeof PROXY_CODES> {}
