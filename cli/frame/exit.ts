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
  /** A file system is full, read-only or failing under what the command had to do. */
  CLI_DISK: { fault: "environment", retryable: true },
  /** What the command has to say cannot be written to standard output. */
  CLI_OUTPUT: { fault: "environment", retryable: true },
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

const failingDisk: readonly unknown[] = ["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE"];
const wrongFile: readonly unknown[] = ["EACCES", "EPERM", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP"];
/** SQLITE_IOERR, SQLITE_READONLY, SQLITE_FULL and SQLITE_CANTOPEN (sqlite.org/rescode.html). */
const failingStore: readonly number[] = [10, 8, 13, 14];

/** What to do where the system does not let a file be opened or made. */
export function fileHint(code: string | undefined): string {
  switch (code) {
    case "ENOENT":
      return "There is no such file or folder: is the name right, seen from the folder that the command runs in?";
    case "EACCES":
    case "EPERM":
      return "This user may not: 'ls -ld' shows whose it is.";
    case "EISDIR":
      return "It is a folder: name a file.";
    case "ENOTDIR":
      return "Part of its path is a file.";
    case "ENAMETOOLONG":
      return "The name is too long.";
    default:
      return "Is its disk full, read-only or failing?";
  }
}

/** The error as it is told: what the system refused is no fault of ours, wherever it came up. */
export function asTold(error: unknown): unknown {
  if (error instanceof TidegateError || !(error instanceof Error)) return error;
  const { code, path, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  if (failingDisk.includes(code) || failingStore.includes((errcode ?? 0) & 0xff)) {
    return new CliError("CLI_DISK", `${path ?? "the disk"}: ${error.message}`, {
      cause: error,
      hint: "Is the disk full, read-only or failing? 'tidegate doctor' looks. Once it is put right, the same command goes on.",
    });
  }
  if (wrongFile.includes(code)) {
    return new CliError("CLI_FILE", `${path ?? "a file"}: ${error.message}`, {
      cause: error,
      hint: fileHint(code),
    });
  }
  return error;
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
