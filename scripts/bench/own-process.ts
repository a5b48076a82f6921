import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** The built command, as the package has it. */
const tidegateEntry = fileURLToPath(new URL("../../tidegate.mjs", import.meta.url));
/** How long anything that is waited for may take, ms. */
const patienceMs = 20_000;
const killAfterMs = 5_000;
/** Kernel clock ticks a second in /proc/PID/stat (USER_HZ), the same on every Linux of today. */
const ticksPerSecond = 100;

/** A child process, ended by its own pid only. */
export class OwnProcess {
  readonly child: ChildProcess;
  readonly name: string;
  readonly #ended: Promise<void>;
  #errors = "";

  /** `command` is Node unless given; a node of the plant has no `channel`, for no service manager makes its start pay for one. */
  constructor(name: string, args: readonly string[], { command = process.execPath, channel = true } = {}) {
    this.name = name;
    // The command asks the environment for Node, and is to have this one.
    const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}` };
    const stdio: StdioOptions = ["ignore", "ignore", "pipe", ...(channel ? ["ipc" as const] : [])];
    // None outlives us.
    this.child = spawn("setpriv", ["--pdeathsig", "TERM", command, ...args], { stdio, env });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.#ended = new Promise((resolve) => {
      this.child.once("error", () => resolve());
      this.child.once("close", () => resolve());
    });
  }

  /** `tidegate ROLE run` from dist/, started as its users start it. */
  static node(role: "vault" | "gateway" | "edge", folder: string): OwnProcess {
    return new OwnProcess(role, [role, "run", "--data", folder], { command: tidegateEntry, channel: false });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get over(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Looks every few milliseconds until `look` gives something; throws with the process's last words where it ended before. */
  async until<T>(what: string, look: () => T | null | Promise<T | null>, everyMs = 50, mostMs = patienceMs): Promise<T> {
    const late = performance.now() + mostMs;
    let cause: unknown;
    for (;;) {
      try {
        const found = await look();
        if (found !== null) return found;
      } catch (error) {
        cause = error;
      }
      if (this.over) throw new Error(`${this.name} ended before ${what}: ${this.#errors.trim()}`);
      if (performance.now() > late) throw new Error(`${this.name}: waited ${mostMs / 1000} s for ${what}`, { cause });
      await wait(everyMs);
    }
  }

  /** CPU time of the process so far, user and system, seconds in steps of 10 ms. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, "utf8");
    // Fields 14 and 15; the name in field 2 may hold spaces, so counting begins behind its bracket.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  /** Resident memory now, MB of 10^6 bytes. */
  residentMegabytes(): number {
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"));
    return (Number(found?.[1]) * 1024) / 1e6;
  }

  /** Asks it to end, kills it after some seconds, and resolves when it is gone. Idempotent. */
  async stop(): Promise<void> {
    if (!this.over) this.child.kill("SIGTERM");
    const killer = setTimeout(() => this.child.kill("SIGKILL"), killAfterMs);
    await this.#ended;
    clearTimeout(killer);
  }
}

/** Runs one `tidegate` command of dist/ to its end; throws with what it said where it fails. */
export async function tidegate(...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [tidegateEntry, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`tidegate ${args.join(" ")} ended with ${code}: ${said.trim()}`);
}

/** A node's run.json as far as rows need it; null until the running process `pid` has written it. */
export function runFile(path: string, pid: number): { listeners: Record<string, { address: string; port: number }> } | null {
  if (!existsSync(path)) return null;
  const run = JSON.parse(readFileSync(path, "utf8"));
  return run.pid === pid ? run : null;
}
