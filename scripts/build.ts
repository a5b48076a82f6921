// Builds dist/ with tsc and copies the data files that the code reads beside itself.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, rmSync } from "node:fs";

const quiet = process.argv.includes("--quiet");
rmSync("dist", { recursive: true, force: true });
const built = spawnSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);
const models = "firmware-adapters/models";
if (existsSync(models)) cpSync(models, `dist/${models}`, { recursive: true, filter: (path) => !path.endsWith(".ts") });
if (!quiet) console.log("built dist/");
