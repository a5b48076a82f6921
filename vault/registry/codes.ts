import type { InputProblem } from "../../agent/http/index.ts";
import { problemLine } from "../../agent/http/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";

export const REGISTRY_CODES = {
  /** What is asked to be stored does not fit what is there; `problems` names each. */
  REGISTRY_INVALID: { fault: "operator", retryable: false },
  /** No such zone, node, device, account, application or version. */
  REGISTRY_NOT_FOUND: { fault: "operator", retryable: false },
  /** The name is taken. */
  REGISTRY_EXISTS: { fault: "operator", retryable: false },
  /** The accounts of a group belong to several edges, which cannot act together. */
  REGISTRY_GROUP_ACROSS_EDGES: { fault: "operator", retryable: false },
  /** The account has no credential yet. */
  REGISTRY_NO_CREDENTIAL: { fault: "operator", retryable: false },
  /** What is held in memory only is not rotated, and what is rotated is not held in memory only. */
  REGISTRY_MEMORY_ONLY: { fault: "operator", retryable: false },
} as const;

export class RegistryError extends TidegateError<keyof typeof REGISTRY_CODES> {
  readonly problems: readonly InputProblem[] | undefined;

  constructor(
    code: keyof typeof REGISTRY_CODES,
    message: string,
    options: { hint?: string; cause?: unknown; problems?: readonly InputProblem[] } = {},
  ) {
    super(REGISTRY_CODES, code, message, options);
    this.problems = options.problems;
  }
}

/** Collects what is wrong with an input, so that all of it is told at once. */
export class Problems {
  readonly #found: InputProblem[] = [];

  add(path: string, found: string, expected: string): void {
    this.#found.push({ path, line: null, found, expected });
  }

  /** Throws REGISTRY_INVALID where anything was added. */
  refuse(what: string): void {
    if (this.#found.length === 0) return;
    throw new RegistryError("REGISTRY_INVALID", `${what} is refused: ${this.#found.map(problemLine).join("; ")}`, {
      problems: this.#found,
    });
  }
}
