// Types, lint with import walls, and unused files, exports and dependencies. Everything that needs no running.
import { spawnSync } from "node:child_process";

const checks: readonly (readonly string[])[] = [
  ["tsc", "-p", "tsconfig.json"],
  ["biome", "check", "--error-on-warnings", "."],
  ["knip"],
];

let failed = 0;
for (const [command, ...args] of checks) {
  const started = performance.now();
  const run = spawnSync(`node_modules/.bin/${command}`, args, { stdio: "inherit" });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${run.status === 0 ? "ok  " : "FAIL"} ${command} (${seconds} s)`);
  if (run.status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
