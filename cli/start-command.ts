import { readFileSync } from "node:fs";
import { type CommandModule, createFrame, endWithOutput, fail } from "./frame/index.ts";
import { CommanderError, createProgram, runProgram, usageError } from "./program.ts";

/** Runs what this process was called with, of these areas; what fails is told, and sets the exit code. */
export async function startCommand(modules: readonly CommandModule[]): Promise<void> {
  // Files that any command makes are its user's alone.
  process.umask(0o077);
  const frame = createFrame(process, () => process.argv.includes("--json"));
  endWithOutput(process, () => frame.output);
  try {
    await runProgram(createProgram(frame, modules, packageVersion()), process.argv);
  } catch (error) {
    const shown = error instanceof CommanderError ? usageError(error) : error;
    if (shown !== null) fail(process, frame.output, shown);
  }
}

/** package.json stands beside the folder of the sources and beside dist/. */
function packageVersion(): string {
  for (const path of ["../package.json", "../../package.json"]) {
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as { version: string }).version;
    } catch {}
  }
  return "unknown";
}
