// Runs after `npm ci`: tap wants its test class generated once. Where tap was not installed (--omit=dev) there is nothing to do.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

if (existsSync("node_modules/.bin/tap")) {
  const built = spawnSync("node_modules/.bin/tap", ["build"], { stdio: ["ignore", "ignore", "inherit"] });
  process.exitCode = built.status ?? 1;
}
