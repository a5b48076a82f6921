import { type ErrorOptions, TidegateError } from "../../protocol/base/index.ts";

export const FORWARD_CODES = {
  /** Nobody answered at the collector's address. */
  FORWARD_UNREACHABLE: { fault: "environment", retryable: true },
  /** The collector, or what stands on the way to it, took or said nothing for too long. */
  FORWARD_STALLED: { fault: "environment", retryable: true },
  /** The connection ended before the collector had taken everything. */
  FORWARD_CUT: { fault: "environment", retryable: true },
  /** No TLS with what answers at the collector's address. */
  FORWARD_TLS: { fault: "environment", retryable: true },
  /** What answers is not vouched for by the configured authority, or is not who it should be. */
  FORWARD_UNTRUSTED: { fault: "operator", retryable: true },
  /** A PEM file that the configuration names cannot be used. */
  FORWARD_PEM: { fault: "operator", retryable: true },
  /** The file that events go to cannot be written. */
  FORWARD_FILE: { fault: "environment", retryable: true },
  /** The file that events should go to holds something else, or lies in a node's data folder. */
  FORWARD_FILE_OTHER: { fault: "operator", retryable: true },
  /** The file that events go to has reached its limit. */
  FORWARD_FILE_FULL: { fault: "operator", retryable: true },
} as const;

export type ForwardCode = keyof typeof FORWARD_CODES;

/** Events that could not be forwarded yet. */
export class ForwardError extends TidegateError<ForwardCode> {
  constructor(code: ForwardCode, message: string, options: ErrorOptions = {}) {
    super(FORWARD_CODES, code, message, options);
  }
}
