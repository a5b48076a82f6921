import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const built = new URL("../../dist/cli/demo/index.js", import.meta.url);
if (!existsSync(fileURLToPath(built))) throw new Error("dist/ is missing: node scripts/build.ts");

/** The demo's parts out of dist/, so that every process they start runs what the package holds. */
export const { adopt, DemoSystem, freePort, runDemo, startMeterDevice, startSwitch, until, verifyLogs, zones } = (await import(
  built.href
)) as typeof import("../../cli/demo/index.ts");
