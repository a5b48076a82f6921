import { readFileSync } from "node:fs";
import { modulesFor } from "./commands/index.ts";
import { createFrame, fail } from "./frame/index.ts";
import { CommanderError, createProgram, usageError } from "./program.ts";

// Files that any command makes are its user's alone.
process.umask(0o077);

// A reader that had enough, such as head, is no fault; a node that lost the reader of its messages goes on.
process.stdout.on("error", () => process.exit());
process.stderr.on("error", () => {});

const frame = createFrame(process, () => process.argv.includes("--json"));

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
  await createProgram(frame, modulesFor(process.argv.slice(2)), packageVersion()).parseAsync(process.argv);
} catch (error) {
  const shown = error instanceof CommanderError ? usageError(error) : error;
  if (shown !== null) fail(process, frame.output, shown);
}
