import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "../frame/index.ts";

/** The entry of this very command line, from the sources or from dist/. */
const entry = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../main.ts" : "../main.js", import.meta.url));

/** How much of a child's standard error is kept for its failure's message, characters. */
const keptTail = 4000;
/** How long a child may take until it is ready or gone, milliseconds: a slow machine starts Node in about one second. */
const patienceMs = 30_000;

/** A child process of ours; ended by its own pid only. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  /** Asks it to end, kills it after some seconds, and resolves when it is gone. Idempotent. */
  stop(): Promise<void>;
  /** Resolves with its exit code, null after a signal. */
  readonly ended: Promise<number | null>;
}

/** Runs one `tidegate` command to its end and gives what it printed; throws where it fails. */
export async function runTidegate(args: readonly string[], input = ""): Promise<string> {
  const child = spawn(process.execPath, [entry, ...args], { stdio: ["pipe", "pipe", "pipe"], env: plainEnvironment() });
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const code = await endOf(child);
  if (code === 0) return out.text();
  throw new CliError("CLI_DEMO", `'tidegate ${args.join(" ")}' ended with ${code}: ${err.text().trim()}`);
}

/** The same, parsed from `--json`. */
export async function runTidegateJson<T>(args: readonly string[], input = ""): Promise<T> {
  return JSON.parse(await runTidegate([...args, "--json"], input)) as T;
}

/** Starts `tidegate <role> run` on a data folder and resolves when its run.json is there. */
export async function startNode(role: "vault" | "gateway" | "edge", dataFolder: string): Promise<Running> {
  const child = spawn(process.execPath, [entry, role, "run", "--data", dataFolder], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: plainEnvironment(),
  });
  return readyWhen(role, child, join(dataFolder, "run.json"));
}

/** Starts another program and resolves when `readyFile` (JSON with its `pid`) is there. */
export async function startProgram(options: {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly readyFile?: string;
}): Promise<Running> {
  const child = spawn(options.command, options.args, {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { ...plainEnvironment(), ...options.environment },
  });
  if (options.readyFile === undefined) return wrap(options.name, child);
  return readyWhen(options.name, child, options.readyFile);
}

/** What run.json of a running node says. */
export function readRunFile<T>(dataFolder: string): T {
  return JSON.parse(readFileSync(join(dataFolder, "run.json"), "utf8")) as T;
}

/** Only what a child needs to run; nothing of the user's environment that could carry a secret or a debug switch. */
function plainEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ["PATH", "HOME", "LANG", "TZ", "TMPDIR"]) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code));
  });
}

function collect(stream: NodeJS.ReadableStream | null): { text(): string } {
  let text = "";
  stream?.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-1024 * 1024);
  });
  return { text: () => text };
}

function wrap(name: string, child: ChildProcess): Running {
  const ended = endOf(child);
  ended.catch(() => {});
  return { name, pid: child.pid ?? 0, ended, stop: () => stop(child, ended) };
}

async function stop(child: ChildProcess, ended: Promise<number | null>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended.catch(() => null);
  clearTimeout(killer);
}

async function readyWhen(name: string, child: ChildProcess, readyFile: string): Promise<Running> {
  const errors = collect(child.stderr);
  const running = wrap(name, child);
  const failed = async (why: string): Promise<never> => {
    await running.stop();
    throw new CliError("CLI_DEMO", `${name} ${why}: ${errors.text().slice(-keptTail).trim()}`);
  };
  const gone = running.ended.then(
    () => "gone" as const,
    () => "gone" as const,
  );
  const outcome = await Promise.race([appears(readyFile, running.pid), gone]);
  if (outcome === "gone") return failed("ended before it was ready");
  if (outcome === "late") return failed("was not ready in time");
  return running;
}

/**
 * Resolves when the file names the process `pid` (one left by a killed process does not); woken by the folder's own events,
 * with a slow look beside them for file systems that have none.
 */
function appears(path: string, pid: number): Promise<"there" | "late"> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (pidIn(path) === pid) finish("there");
    };
    const watcher = watch(join(path, ".."), look);
    const slow = setInterval(look, 250);
    const late = setTimeout(() => finish("late"), patienceMs);
    const finish = (outcome: "there" | "late"): void => {
      watcher.close();
      clearInterval(slow);
      clearTimeout(late);
      resolve(outcome);
    };
    look();
  });
}

function pidIn(path: string): number | null {
  try {
    return (JSON.parse(readFileSync(path, "utf8")) as { pid: number }).pid;
  } catch {
    return null;
  }
}
