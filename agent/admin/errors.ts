import { type Fault, TidegateError } from "../../protocol/base/index.ts";
import type { InputProblem } from "../http/index.ts";

export const ADMIN_CODES = {
  /** Nothing answers on the node's admin socket. */
  ADMIN_UNREACHABLE: { fault: "environment", retryable: true },
  /** Something else than a node's admin API answered. */
  ADMIN_PROTOCOL: { fault: "environment", retryable: false },
} as const;

export class AdminError extends TidegateError<keyof typeof ADMIN_CODES> {
  constructor(code: keyof typeof ADMIN_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(ADMIN_CODES, code, message, options);
  }
}

/** True where nobody listens: what a node that was killed leaves behind. A node that is there, but does not answer, is not meant. */
export function isNobodyThere(error: unknown): boolean {
  if (!(error instanceof AdminError) || error.code !== "ADMIN_UNREACHABLE") return false;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return code === "ECONNREFUSED" || code === "ENOENT";
}

/** A problem that the node answered, with the code it has there. */
export class RemoteError extends TidegateError<string> {
  readonly status: number;
  readonly problems: readonly InputProblem[] | undefined;

  constructor(told: {
    code: string;
    message: string;
    fault: Fault;
    retryable: boolean;
    status: number;
    hint?: string | undefined;
    problems?: readonly InputProblem[] | undefined;
  }) {
    const { code, message, fault, retryable, hint } = told;
    super({ [code]: { fault, retryable } }, code, message, hint === undefined ? {} : { hint });
    this.status = told.status;
    this.problems = told.problems;
  }
}
