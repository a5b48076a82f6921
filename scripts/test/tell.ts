import type { FileResult } from "./run-file.ts";

/** Prints a file's line, with every failure and every skipped test in full. */
export function tellFile({ file, failed, lines }: FileResult): void {
  console.log(`${failed === 0 ? "ok  " : "FAIL"} ${file}`);
  if (failed > 0) for (const line of failedLines(lines)) console.log(line);
  else for (const line of lines) if (/# SKIP/i.test(line)) console.log(`     not run: ${line.trim()}`);
}

/** The failed assertions of a file with their diagnostics, or its last lines where none says so (a crash). */
function failedLines(lines: readonly string[]): readonly string[] {
  const shown: string[] = [];
  let indent: number | null = null;
  for (const line of lines) {
    const depth = line.length - line.trimStart().length;
    if (/^\s*not ok /.test(line)) indent = depth;
    else if (indent !== null && depth <= indent && line.trim() !== "") indent = null;
    if (indent !== null || /# test count/.test(line)) shown.push(line);
  }
  return shown.length > 0 ? shown.slice(0, 300) : lines.slice(-40);
}

/** Prints the ten files that took longest. */
export function tellSlowest(results: readonly FileResult[]): void {
  console.log("\nslowest files                                      seconds");
  const slowest = [...results].sort((one, other) => other.seconds - one.seconds).slice(0, 10);
  for (const { file, seconds } of slowest) console.log(`${file.padEnd(50)} ${seconds.toFixed(0).padStart(7)}`);
}
