import { TidegateError } from "../../protocol/base/index.ts";
import type { InputProblem } from "../http/index.ts";

export const CONFIG_CODES = {
  /** `tidegate.yaml` does not fit its schema; `problems` has them all. */
  CONFIG_INVALID: { fault: "operator", retryable: false },
  /** There is no `tidegate.yaml`, or it cannot be read. */
  CONFIG_MISSING: { fault: "operator", retryable: false },
  /** The `tidegate.yaml` is that of another kind of node. */
  CONFIG_OTHER_ROLE: { fault: "operator", retryable: false },
  /** There is a `tidegate.yaml` already; it is never overwritten. */
  CONFIG_EXISTS: { fault: "operator", retryable: false },
} as const;

export class ConfigError extends TidegateError<keyof typeof CONFIG_CODES> {
  readonly problems: readonly InputProblem[] | undefined;

  constructor(
    code: keyof typeof CONFIG_CODES,
    message: string,
    options: { hint?: string; cause?: unknown; problems?: readonly InputProblem[] } = {},
  ) {
    super(CONFIG_CODES, code, message, options);
    this.problems = options.problems;
  }
}
