import { TidegateError } from "../../protocol/base/index.ts";

export const CA_CODES = {
  /** The request names no host, or a host that is neither a DNS name nor an IP address. */
  CA_NAME_REFUSED: { fault: "operator", retryable: false },
  /** The key is not on P-256, or not a public key at all. */
  CA_KEY_REFUSED: { fault: "peer", retryable: false },
} as const;

export class CaError extends TidegateError<keyof typeof CA_CODES> {
  constructor(code: keyof typeof CA_CODES, message: string) {
    super(CA_CODES, code, message);
  }
}
