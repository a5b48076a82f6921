// Verifies one log folder and tells time and memory as JSON: `node audit-verify.ts FOLDER`. A process of its own, as an auditor has it.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { verifyFolder } from "../../agent/audit/index.ts";

// As the command does.
setFlagsFromString("--semi-space-growth-factor=1");

const started = performance.now();
const { findings } = await verifyFolder({ path: String(process.argv[2]), anchors: [], vaultId: null, onProgress: () => {} });
// What getrusage tells begins with the parent's memory, which an exec does not reset.
const peakKb = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
const told = { ms: performance.now() - started, maxRssKb: peakKb, findings: findings.length };
process.stdout.write(JSON.stringify(told));
