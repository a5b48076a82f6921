import { readFileSync } from "node:fs";
import { modulesFor } from "./commands/index.ts";
import { createFrame, endWithOutput, fail } from "./frame/index.ts";
import { CommanderError, createProgram, runProgram, usageError } from "./program.ts";

// Files that any command makes are its user's alone.
process.umask(0o077);

const frame = createFrame(process, () => process.argv.includes("--json"));
endWithOutput(process, () => frame.output);

/** package.json stands beside the folder of the sources and beside dist/. */
function packageVersion(): string {
  for (const path of ["../package.json", "../../package.json"]) {
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as { version: string }).version;
    } catch {}
  }
  return "unknown";
}

try {
  const modules = await modulesFor(process.argv.slice(2));
  await runProgram(createProgram(frame, modules, packageVersion()), process.argv);
} catch (error) {
  const shown = error instanceof CommanderError ? usageError(error) : error;
  if (shown !== null) fail(process, frame.output, shown);
}
