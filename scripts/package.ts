// Builds dist/ and packs it: one file that installs on a machine without a registry. Arguments go to `npm pack`.
import { spawnSync } from "node:child_process";

for (const [command, ...args] of [
  [process.execPath, "scripts/build.ts", "--quiet"],
  ["npm", "pack", ...process.argv.slice(2)],
]) {
  const { status } = spawnSync(command ?? "", args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
if (process.argv.length === 2) console.log("packed into dist/");
