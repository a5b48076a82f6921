import { AssertionError, TidegateError } from "../../protocol/base/index.ts";

/** Exit codes of every command; docs/operations.md lists them. Findings of `audit verify` are 101 to 108. */
export const exitCodes = {
  ok: 0,
  /** The answer is no: not found, not fresh, not equal. */
  negative: 1,
  usage: 2,
  badData: 65,
  notAvailable: 69,
  bug: 70,
  tryAgain: 75,
  refused: 77,
} as const;

export const CLI_CODES = {
  /** The words of the command cannot be understood. */
  CLI_USAGE: { fault: "operator", retryable: false },
  /** A later version brings this command. */
  NOT_AVAILABLE: { fault: "operator", retryable: false },
  /** A secret was asked for and there is no terminal, file or standard input to take it from. */
  CLI_NO_SECRET: { fault: "operator", retryable: false },
  /** A file that was named on the command line cannot be read or written. */
  CLI_FILE: { fault: "operator", retryable: false },
  /** Nothing that answers like a local API is at the place that was named. */
  CLI_API_UNREACHABLE: { fault: "environment", retryable: true },
  /** A step of the demo did not do what it should. */
  CLI_DEMO: { fault: "environment", retryable: true },
} as const;

export class CliError extends TidegateError<keyof typeof CLI_CODES> {
  constructor(code: keyof typeof CLI_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(CLI_CODES, code, message, options);
  }
}

/** The exit code that `error` ends the command with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof AssertionError || !(error instanceof TidegateError)) return exitCodes.bug;
  if (error.code === "NOT_AVAILABLE") return exitCodes.notAvailable;
  // What the node finds wrong in a call is what was typed.
  if (error.code === "CLI_USAGE" || error.code === "REQUEST_INVALID") return exitCodes.usage;
  switch (error.fault) {
    case "environment":
      return exitCodes.tryAgain;
    case "caller":
      return exitCodes.refused;
    case "operator":
    case "peer":
      return exitCodes.badData;
  }
}
