// Runs the whole test suite, or the files named as arguments, and tells it briefly: a line a file, every failure and every
// skipped test in full, the table of real device servers that were met, and last the count that CI reads.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

interface PeerRecord {
  readonly peer: string;
  readonly version: string;
  readonly tests: number;
}

/** The servers that a run with REQUIRE_PEERS=1 must have met. */
const requiredPeers = ["snmpd", "libmodbus", "sshd", "rsyslogd", "network namespaces"] as const;

/** Written where tap's own build was done; `npm ci` takes it away with all of node_modules. */
const tapBuilt = "node_modules/.tap-built";

if (!prepareTap() || !ran(process.execPath, "scripts/build.ts", "--quiet")) {
  console.log("0 passed, 1 failed");
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "tidegate-test-"));
const peersFile = join(folder, "peers.jsonl");
const started = performance.now();
const { exitCode, passed, failed, skipped } = await runTap(process.argv.slice(2));
const whole = process.argv.length === 2;
const missing = showPeers(whole && process.env["REQUIRE_PEERS"] === "1");
rmSync(folder, { recursive: true, force: true });

// A runner that ended badly without naming a failed test (a crash, a timeout) still counts as one.
const failures = Math.max(failed + missing, exitCode === 0 ? 0 : 1);
console.log(`took ${((performance.now() - started) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failures === 0 && passed > 0 ? 0 : 1;

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

async function runTap(files: readonly string[]) {
  const child = spawn("node_modules/.bin/tap", ["--reporter=tap", ...files], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TIDEGATE_PEERS_FILE: peersFile },
  });
  const ended = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let block: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const result = /^(ok|not ok) \d+ - (\S+)(.*)$/.exec(line);
    if (result === null) {
      block.push(line);
      const summary = /^# \{ (.*) \}$/.exec(line);
      if (summary) readSummary(summary[1] ?? "", counts);
      continue;
    }
    tellFile(result[1] === "ok", `${result[2]}`, block);
    block = [];
  }
  return { exitCode: await ended, ...counts };
}

function readSummary(text: string, counts: { passed: number; failed: number; skipped: number }): void {
  const value = (name: string) => Number(new RegExp(`${name}: (\\d+)`).exec(text)?.[1] ?? 0);
  counts.passed = value("pass");
  counts.failed = value("fail");
  counts.skipped = value("skip");
}

function tellFile(ok: boolean, file: string, block: readonly string[]): void {
  console.log(`${ok ? "ok  " : "FAIL"} ${file}`);
  if (!ok) for (const line of failedLines(block)) console.log(line);
  else for (const line of block) if (/# SKIP/i.test(line)) console.log(`     not run: ${line.trim()}`);
}

/** The failed assertions of a file with their diagnostics, or its last lines where none says so (a crash). */
function failedLines(block: readonly string[]): readonly string[] {
  const shown: string[] = [];
  let indent: number | null = null;
  for (const line of block) {
    const depth = line.length - line.trimStart().length;
    if (/^\s*not ok /.test(line)) indent = depth;
    else if (indent !== null && depth <= indent && line.trim() !== "") indent = null;
    if (indent !== null || /# test count/.test(line)) shown.push(line);
  }
  return shown.length > 0 ? shown.slice(0, 300) : block.slice(-40);
}

/** Prints the peers' table; returns how many required servers were not met. */
function showPeers(require: boolean): number {
  const records: PeerRecord[] = existsSync(peersFile)
    ? readFileSync(peersFile, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as PeerRecord)
    : [];
  const byPeer = new Map<string, { version: string; tests: number }>();
  for (const { peer, version, tests } of records) {
    byPeer.set(peer, { version, tests: tests + (byPeer.get(peer)?.tests ?? 0) });
  }
  if (byPeer.size > 0) {
    console.log("\nreal servers met        version                           tests");
    for (const [peer, { version, tests }] of [...byPeer].sort()) {
      console.log(`${peer.padEnd(23)} ${version.padEnd(33)} ${String(tests).padStart(5)}`);
    }
    console.log();
  }
  if (!require) return 0;
  const missing = requiredPeers.filter((peer) => (byPeer.get(peer)?.tests ?? 0) === 0);
  for (const peer of missing) console.log(`FAIL no test met a real ${peer}, and REQUIRE_PEERS=1 asks for it`);
  return missing.length;
}
