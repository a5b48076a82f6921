// Builds dist/: tsc checks and compiles, esbuild links what comes out with the libraries it uses, and the data files and licence
// notices are laid beside it.
import { spawnSync } from "node:child_process";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { link } from "./build/link.ts";
import { thirdPartyNotices } from "./build/third-party-notices.ts";

const quiet = process.argv.includes("--quiet");
/** Compiled, not linked; the same folder as in tsconfig.build.json. */
const compiled = ".build";

rmSync("dist", { recursive: true, force: true });
rmSync(compiled, { recursive: true, force: true });
const built = spawnSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);
const { packages, files } = await link(compiled, "dist");
// Linked code bears no comments: who wants to know what a file is made of reads it here.
writeFileSync("dist/linked.json", `${JSON.stringify(files, null, 1)}\n`);
writeFileSync("dist/THIRD-PARTY-NOTICES", thirdPartyNotices(packages));
const models = "firmware-adapters/models";
cpSync(models, `dist/${models}`, { recursive: true, filter: (path) => !path.endsWith(".ts") });
rmSync(compiled, { recursive: true });
if (!quiet) console.log("built dist/");
