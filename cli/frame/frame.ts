import type { Command } from "commander";
import type { Secret } from "../../protocol/base/index.ts";
import { asTold, CliError, exitCodeOf, exitCodes } from "./exit.ts";
import { createOutput, type Output } from "./output.ts";
import { createProgress, type Progress } from "./progress.ts";
import { readSecret, type SecretSource } from "./secrets.ts";

/** What a command gets from the terminal it runs in. */
export interface Frame {
  readonly output: Output;
  /** The only look at the environment that commands have: folders and systemd's credentials. Never a secret. */
  readonly environment: { readonly stateHome?: string; readonly home?: string; readonly credentialsDirectory?: string };
  /** True where results go to a terminal, and a person reads them. */
  readonly isTerminal: boolean;
  /** True where what is said besides results goes to a terminal, which takes colours. */
  readonly colours: boolean;
  /** Takes a secret from --from-file, --from-stdin or a prompt. */
  secret(source: SecretSource): Promise<Secret>;
  progress(label: string, total: number): Progress;
  /** Sets the exit code of a command that worked but whose answer is negative, or a finding's. */
  exit(code: number): void;
  /** Resolves at SIGINT, SIGTERM or, where a parent started us with a channel, when that parent is gone. */
  untilStopped(): Promise<string>;
}

/** Adds the commands of one area to the program. */
export type CommandModule = (program: Command, frame: Frame) => void;

/** Builds the frame of this process. `json` is read late: options are parsed after the commands are registered. */
export function createFrame(process: NodeJS.Process, json: () => boolean): Frame {
  const { XDG_STATE_HOME: stateHome, HOME: home, CREDENTIALS_DIRECTORY: credentialsDirectory } = process.env;
  const defined = { stateHome, home, credentialsDirectory };
  return {
    get output() {
      return createOutput(json(), process);
    },
    environment: Object.fromEntries(Object.entries(defined).filter(([, value]) => value !== undefined && value !== "")),
    isTerminal: process.stdout.isTTY === true,
    colours: process.stderr.isTTY === true,
    secret: (source) => readSecret(source, { input: process.stdin, prompt: process.stderr }),
    progress: (label, total) => createProgress(label, json() ? 0 : total, process.stderr),
    exit(code) {
      process.exitCode = code;
    },
    untilStopped: () => untilStopped(process),
  };
}

function untilStopped(process: NodeJS.Process): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(signal));
    if (process.channel) process.once("disconnect", () => resolve("disconnect"));
    // Listening holds the channel open, and an open channel would keep the process alive after its node has closed.
    process.channel?.unref();
  });
}

/** Ends the process with what `error` means, after saying it. */
export function fail(process: NodeJS.Process, output: Output, error: unknown): void {
  const told = asTold(error);
  output.error(told);
  process.exitCode = exitCodeOf(told);
}

/**
 * Ends the process where its standard output takes no more: quietly where the reader had enough, such as head; else with an error, for
 * whoever redirected it would take half an answer for the whole. A node that lost the reader of its messages goes on.
 */
export function endWithOutput(process: NodeJS.Process, output: () => Output): void {
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EPIPE") {
      const hint = "What was asked for is done, and its answer is not written whole. Is the disk full?";
      fail(process, output(), new CliError("CLI_OUTPUT", `standard output: ${cause.message}`, { cause, hint }));
    }
    process.exit();
  });
  process.stderr.on("error", () => {});
}

/** Registers `words` as a command that a later version brings: exit 69. */
export function notAvailable(parent: Command, words: string, summary: string): void {
  parent
    .command(words)
    .description(`${summary} (not available in this version)`)
    .allowExcessArguments(true)
    .allowUnknownOption(true)
    .action(() => {
      throw new CliError("NOT_AVAILABLE", `'${parent.name()} ${words.split(" ")[0]}' is not available in this version`);
    });
}

export { exitCodes };
