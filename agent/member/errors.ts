import { TidegateError } from "../../protocol/base/index.ts";

export const MEMBER_CODES = {
  /** The node holds facts that the vault has not acknowledged. */
  MEMBER_UNREPORTED: { fault: "operator", retryable: true },
} as const;

export class MemberError extends TidegateError<keyof typeof MEMBER_CODES> {
  constructor(code: keyof typeof MEMBER_CODES, message: string, hint: string) {
    super(MEMBER_CODES, code, message, { hint });
  }
}
