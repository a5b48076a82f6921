// Runs one test file in a process of its own and reads the TAP that it writes. The `tap` command would do the same, with a
// module loader more in that process and in each Node process that it starts, and with every assertion parsed a second time.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What a test file's process said and how it ended. */
export interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly lines: readonly string[];
  readonly seconds: number;
}

/** What `t.mockImport` needs before the first module is loaded; nothing else of tap's loaders. */
const mockLoader = import.meta.resolve("@tapjs/mock/import");

/** Longest that any file may take: tap ends it at its own limit, which a file may set higher, unless tap does not come to its turn. */
const longestSeconds = 915;

/**
 * Runs a file to its end, or to its time limit in seconds where it sets itself no other. A process that ended badly or without its
 * count, though it named no failed test, counts as one failure.
 */
export async function runFile(
  file: string,
  timeout: number,
  environment: Readonly<Record<string, string>>,
): Promise<FileResult> {
  const started = performance.now();
  const child = spawn(process.execPath, [`--import=${mockLoader}`, file], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment, TAP: "1", TAP_TIMEOUT: String(timeout) },
  });
  const output = createInterface({ input: child.stdout });
  const limit = setTimeout(() => {
    child.kill("SIGKILL");
    // What it started may hold the other end for ever.
    child.stdout.destroy();
    output.close();
  }, longestSeconds * 1000);
  const ended = new Promise<boolean>((resolve) => {
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
  });
  const lines: string[] = [];
  let summary: string | undefined;
  for await (const line of output) {
    lines.push(line);
    summary = /^# \{ (.*) \}$/.exec(line)?.[1] ?? summary;
  }
  const good = await ended;
  clearTimeout(limit);
  const count = (name: string) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary ?? "")?.[1] ?? 0);
  const failed = Math.max(count("fail"), good && summary !== undefined ? 0 : 1);
  const seconds = (performance.now() - started) / 1000;
  return { file, passed: count("pass"), failed, skipped: count("skip"), lines, seconds };
}
