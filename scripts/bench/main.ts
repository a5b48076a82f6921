// Measures what the product promises about speed and size. Ratios are taken within this one run; absolute figures depend on the machine.
import { cpus } from "node:os";
import { auditVerifyRow } from "./audit.ts";
import { auditAppendRow } from "./audit-append.ts";
import { Bench } from "./bench.ts";
import { blackHoleRow } from "./black-hole.ts";
import { coldStartRows } from "./cold-start.ts";
import { edgeStartRow } from "./edge-start.ts";
import { readRow } from "./read.ts";
import { reconnectRow } from "./reconnect.ts";
import { fleetRow, memoryRow, modelCheckRow } from "./rotation.ts";
import { type Measured, NotRun, type Row } from "./row.ts";
import { deltaSizeRow, sealingRow } from "./sealing.ts";
import { largeFramesRow, smallFramesRow } from "./tunnel-frames.ts";

const rows: readonly Row[] = [
  readRow,
  sealingRow,
  deltaSizeRow,
  auditAppendRow,
  auditVerifyRow,
  edgeStartRow,
  ...coldStartRows,
  blackHoleRow,
  smallFramesRow,
  largeFramesRow,
  reconnectRow,
  fleetRow,
  memoryRow,
  modelCheckRow,
];

interface Result {
  readonly name: string;
  readonly target: string;
  readonly state: "met" | "missed" | "not run" | "failed";
  readonly figure: string;
  readonly numbers: Measured["numbers"];
}

const json = process.argv.includes("--json");
const only = process.argv[process.argv.indexOf("--only") + 1];
const chosen = process.argv.includes("--only") ? rows.filter(({ name }) => name.includes(only ?? "")) : rows;

const bench = new Bench();
const results: Result[] = [];
try {
  for (const [i, row] of chosen.entries()) {
    if (!json && process.stderr.isTTY) process.stderr.write(`\r\u001b[K[${i + 1}/${chosen.length}] ${row.name}`);
    results.push(await measured(row));
  }
} finally {
  await bench.close();
}
if (!json && process.stderr.isTTY) process.stderr.write("\r\u001b[K");

if (json) console.log(JSON.stringify({ node: process.version, cpus: cpus().length, rows: results }, null, 2));
else print(results);
process.exitCode = results.some(({ state }) => state === "missed" || state === "failed") ? 1 : 0;

async function measured({ name, target, measure }: Row): Promise<Result> {
  try {
    const { figure, met, numbers } = await measure(bench);
    return { name, target, state: met ? "met" : "missed", figure, numbers };
  } catch (error) {
    // One row that fails must not take along what the others measured.
    if (!(error instanceof NotRun)) console.error(error);
    const figure = error instanceof Error ? error.message : String(error);
    return { name, target, state: error instanceof NotRun ? "not run" : "failed", figure, numbers: {} };
  }
}

function print(results: readonly Result[]): void {
  console.log(`Node ${process.version}, ${cpus().length} cores; medians, ratios within this run\n`);
  const width = Math.max(...results.map(({ name }) => name.length));
  const target = Math.max(...results.map((result) => result.target.length));
  for (const result of results) {
    console.log(`${result.name.padEnd(width)}  ${result.target.padEnd(target)}  ${result.state.padEnd(7)}  ${result.figure}`);
  }
}
