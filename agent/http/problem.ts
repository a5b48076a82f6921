import { type Fault, TidegateError } from "../../protocol/base/index.ts";
import type { InputProblem } from "./errors.ts";

/** RFC 9457 problem details with Tidegate's members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable code; ERRORS.md has a heading for each. */
  readonly code: string;
  readonly fault: Fault | "bug";
  readonly retryable: boolean;
  readonly hint?: string;
  readonly problems?: readonly InputProblem[];
}

/** Media type of a problem. */
export const problemType = "application/problem+json";

const statusOfFault: Record<Fault, number> = { caller: 403, operator: 409, peer: 502, environment: 503 };

/** Codes whose status says more than whose fault it is. */
const statusOfCode: Readonly<Record<string, number>> = {
  REQUEST_INVALID: 400,
  REQUEST_NO_ROUTE: 404,
  REQUEST_NOT_FOUND: 404,
  REQUEST_TOO_LARGE: 413,
  NOT_AVAILABLE: 501,
};

const titles: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not authenticated",
  403: "Refused",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  413: "Too large",
  414: "Address too long",
  421: "Misdirected request",
  429: "Too many requests",
  500: "Internal error",
  501: "Not available in this version",
  502: "Bad data from elsewhere",
  503: "Unavailable",
};

/** The problem that `error` is to a client; an error of ours shows nothing of its inside. */
export function problemOf(error: unknown, status?: number): Problem {
  if (!(error instanceof TidegateError)) {
    return problem({ code: "INTERNAL", status: 500, detail: "an error inside Tidegate", fault: "bug", retryable: false });
  }
  const { code, message: detail, fault, retryable, hint } = error;
  const problems = "problems" in error ? (error.problems as readonly InputProblem[] | undefined) : undefined;
  return problem({
    code,
    status: status ?? statusOfCode[code] ?? statusOfFault[fault],
    detail,
    fault,
    retryable,
    hint,
    problems,
  });
}

/** A problem with its type URI and title filled in. */
export function problem(parts: {
  code: string;
  status: number;
  detail: string;
  fault: Problem["fault"];
  retryable: boolean;
  hint?: string | undefined;
  problems?: readonly InputProblem[] | undefined;
}): Problem {
  const { hint, problems, ...rest } = parts;
  return {
    type: `urn:tidegate:error:${parts.code}`,
    title: titles[parts.status] ?? "Error",
    ...rest,
    ...(hint === undefined ? {} : { hint }),
    ...(problems === undefined ? {} : { problems }),
  };
}

/** The answer that carries a problem. */
export function problemBytes(value: Problem): Buffer {
  return Buffer.from(JSON.stringify(value));
}
