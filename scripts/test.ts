// Runs the whole test suite, or the files named as arguments, and tells it briefly: a line a file, every failure and every
// skipped test in full, the slowest files, the table of real device servers that were met, and last the count that CI reads.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tellPeers } from "./test/peers.ts";
import { type FileResult, runFile } from "./test/run-file.ts";
import { tellFile, tellSlowest } from "./test/tell.ts";

interface TapSettings {
  readonly include: readonly string[];
  readonly timeout: number;
  readonly jobs: number;
}

/** Written where tap's own build was done; `npm ci` takes it away with all of node_modules. */
const tapBuilt = "node_modules/.tap-built";

if (!prepareTap() || !ran(process.execPath, "scripts/build.ts", "--quiet")) {
  console.log("0 passed, 1 failed");
  process.exit(1);
}

const { tap } = JSON.parse(readFileSync("package.json", "utf8")) as { tap: TapSettings };
const named = process.argv.slice(2);
const whole = named.length === 0;
const folder = mkdtempSync(join(tmpdir(), "tidegate-test-"));
const peersFile = join(folder, "peers.jsonl");
const started = performance.now();
const results = await runAll(whole ? globSync(tap.include).sort() : named);
if (whole) tellSlowest(results);
const missing = tellPeers(peersFile, whole && process.env["REQUIRE_PEERS"] === "1");
rmSync(folder, { recursive: true, force: true });

const sum = (count: "passed" | "failed" | "skipped") => results.reduce((total, result) => total + result[count], 0);
const passed = sum("passed");
const failed = sum("failed") + missing;
const skipped = sum("skipped");
console.log(`took ${((performance.now() - started) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

/** Has tap generate its test class for the plugins of package.json, once an installation: install scripts are off. */
function prepareTap(): boolean {
  if (existsSync(tapBuilt)) return true;
  if (!ran("node_modules/.bin/tap", "build")) return false;
  writeFileSync(tapBuilt, "");
  return true;
}

function ran(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
}

/** Runs the files, as many at once as package.json says for tap; what one compiled the others load from a cache. */
async function runAll(files: readonly string[]): Promise<readonly FileResult[]> {
  const environment = { TIDEGATE_PEERS_FILE: peersFile, NODE_COMPILE_CACHE: join(folder, "compiled") };
  const results: FileResult[] = [];
  const queue = files.values();
  const lane = async () => {
    for (const file of queue) {
      const result = await runFile(file, tap.timeout, environment);
      tellFile(result);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: tap.jobs }, lane));
  return results;
}
