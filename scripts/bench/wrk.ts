import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotRun } from "./row.ts";

const command = "wrk";
const connections = 16;

/** One round of load. */
export interface Round {
  readonly requests: number;
  readonly perSecond: number;
  readonly p99Ms: number;
}

/**
 * `wrk` with one thread and 16 connections that ask for `urls` in turn. The requests are made before the first is sent, in a file that
 * only its owner reads: they bear a token. Throws NotRun where wrk is missing.
 */
export class Wrk {
  readonly #folder: string;
  readonly #script: string;

  constructor(paths: readonly string[], headers: Readonly<Record<string, string>>) {
    if (spawnSync(command, ["--version"]).error !== undefined) throw new NotRun("wrk is missing: apt install wrk");
    this.#folder = mkdtempSync(join(tmpdir(), "tidegate-wrk-"));
    this.#script = join(this.#folder, "load.lua");
    writeFileSync(this.#script, script(paths, headers), { mode: 0o600 });
  }

  /** Throws where one answer was not 200. */
  async round(port: number, seconds: number): Promise<Round> {
    const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", this.#script, `http://127.0.0.1:${port}`];
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    const [, requests, microseconds, p99, failed] = /^ROUND (\d+) (\d+) ([\d.]+) (\d+)$/m.exec(said) ?? [];
    if (requests === undefined || failed !== "0") throw new Error(`wrk: ${said}`);
    const count = Number(requests);
    return { requests: count, perSecond: (count / Number(microseconds)) * 1e6, p99Ms: Number(p99) / 1000 };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function script(paths: readonly string[], headers: Readonly<Record<string, string>>): string {
  const header = Object.entries(headers).map(([name, value]) => `wrk.headers[${quoted(name)}] = ${quoted(value)}`);
  return [
    ...header,
    `local paths = { ${paths.map(quoted).join(", ")} }`,
    "local requests = {}",
    "local next = 0",
    "function init(args)",
    '  for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end',
    "end",
    "function request()",
    "  next = next % #requests + 1",
    "  return requests[next]",
    "end",
    "function done(summary, latency)",
    "  local e = summary.errors",
    '  io.write(string.format("ROUND %d %d %.0f %d\\n", summary.requests, summary.duration, latency:percentile(99),',
    "    e.connect + e.read + e.write + e.status + e.timeout))",
    "end",
    "",
  ].join("\n");
}

/** JSON's escapes for the characters that occur here are Lua's too. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
