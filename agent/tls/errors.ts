import { TidegateError } from "../../protocol/base/index.ts";

export const TLS_CODES = {
  /** The connection did not make a full TLS 1.3 handshake of its own, or is over already. */
  TLS_NOT_FRESH: { fault: "peer", retryable: true },
} as const;

/** A TLS connection that cannot carry a tunnel. */
export class TlsError extends TidegateError<keyof typeof TLS_CODES> {
  constructor(code: keyof typeof TLS_CODES, message: string) {
    super(TLS_CODES, code, message);
  }
}
