import { TidegateError } from "../../protocol/base/index.ts";
import { hintOf } from "./hints.ts";

/** Where a command's words go: results on standard output, everything else on standard error. */
export interface Output {
  /** True where `--json` was given: one JSON value on standard output, errors as JSON on standard error. */
  readonly json: boolean;
  /** Prints the command's result: `data` under `--json`, else the lines that `text` makes of it. */
  result<T>(data: T, text: (data: T) => string | readonly string[]): void;
  /** One record of a stream (`--follow`): a JSON line or a text line. */
  record<T>(data: T, text: (data: T) => string): void;
  /** A line for the person at the terminal; nothing under `--json`. */
  say(line: string): void;
  error(error: unknown): void;
}

interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

export function createOutput(json: boolean, streams: Streams): Output {
  return {
    json,
    result(data, text) {
      if (json) streams.stdout.write(`${JSON.stringify(data, null, 2)}\n`);
      else for (const line of [text(data)].flat()) streams.stdout.write(`${line}\n`);
    },
    record(data, text) {
      streams.stdout.write(`${json ? JSON.stringify(data) : text(data)}\n`);
    },
    say(line) {
      if (!json) streams.stderr.write(`${line}\n`);
    },
    error(error) {
      streams.stderr.write(json ? `${JSON.stringify(describe(error))}\n` : errorText(error));
    },
  };
}

interface ErrorDescription {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly problems?: unknown;
}

/** What a person or a script may see of an error: never a stack, never the inner cause. */
function describe(error: unknown): ErrorDescription {
  if (!(error instanceof TidegateError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { code: "BUG", message, hint: "This is a fault of Tidegate. Please report it with the command that you ran." };
  }
  const problems = "problems" in error ? { problems: error.problems } : {};
  const hint = error.hint ?? hintOf(error.code);
  return { code: error.code, message: error.message, ...(hint === undefined ? {} : { hint }), ...problems };
}

function errorText(error: unknown): string {
  const { code, message, hint } = describe(error);
  return `tidegate: ${message} (${code})\n${hint === undefined ? "" : `hint: ${hint}\n`}`;
}

/** Rows as columns of equal width, two blanks between them; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
