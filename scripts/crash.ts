// Kills the processes of a whole system at every failpoint, beside real device servers, and asks after each kill which password works:
// `node scripts/crash.ts [--runs N] [--json] [--at FAILPOINT ...] [--with ADAPTER ...]`. ^C ends it with the table so far. Exit code 1
// where a password is lost, unknown or locked out, or a failpoint was not met.
import { parseArgs } from "node:util";
import { adapters, peers } from "../test/crash/devices.ts";
import { allFailpoints } from "../test/crash/failpoints.ts";
import { type Kill, runCrashes } from "../test/crash/run.ts";
import { summaryLines, summaryOf } from "../test/crash/summary.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "300" },
    json: { type: "boolean", default: false },
    at: { type: "string", multiple: true, default: allFailpoints() },
    with: { type: "string", multiple: true, default: [...adapters] },
  },
});
const kills = Number(values.runs);
if (!Number.isSafeInteger(kills) || kills < 1) refuse("--runs: expected a whole number from 1");
const chosen = adapters.filter((adapter) => values.with.includes(adapter));
if (chosen.length < values.with.length) refuse(`--with: expected ${adapters.join(", ")}`);
if (!values.at.every((name) => allFailpoints().includes(name))) refuse(`--at: expected ${allFailpoints().join(", ")}`);
const missing = chosen.map((adapter) => peers[adapter]).filter(({ installed }) => !installed);
for (const { name, packages } of missing) console.error(`${name} is not installed: apt-get install ${packages}`);
if (missing.length > 0) process.exit(1);

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

let done = 0;
const result = await runCrashes({ kills, adapters: chosen, failpoints: values.at, signal: stop.signal, onKill: tell });
const summary = summaryOf(result, kills);
if (values.json) console.log(JSON.stringify(summary, null, 2));
else for (const line of summaryLines(summary)) console.log(line);
process.exit(summary.ok ? 0 : 1);

function tell({ cell, verdict, ms }: Kill): void {
  done += 1;
  const what = `${cell.node} of ${cell.adapter} at ${cell.failpoint}`;
  const found = verdict.kind === "one" ? `version ${verdict.version} works, alone` : `${verdict.kind}: ${verdict.why}`;
  console.error(`${String(done).padStart(4)}/${kills}  ${what.padEnd(52)} ${(ms / 1000).toFixed(1).padStart(5)} s  ${found}`);
}

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}
