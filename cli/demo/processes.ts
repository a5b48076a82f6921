import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
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
  /** What it printed so far, standard output and standard error, the last mebibyte. */
  printed(): string;
}

/** Every child that has not ended yet, also one that is a command only or is not ready yet. */
const living = new Set<ChildProcess>();

/** Ends every child that is left, whatever it is; for the end of the demo, an interrupted one above all. */
export async function endChildren(): Promise<void> {
  await Promise.all([...living].map((child) => stop(child, endOf(child))));
}

/** Runs one `tidegate` command to its end and gives what it printed; throws where it fails. */
export async function runTidegate(args: readonly string[], input = ""): Promise<string> {
  const child = start(process.execPath, [entry, ...args], { stdio: ["pipe", "pipe", "pipe"], env: plainEnvironment() });
  const out = collect(child.stdout);
  const err = collect(child.stderr);
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
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
  const child = start(process.execPath, [entry, role, "run", "--data", dataFolder], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: plainEnvironment(),
  });
  return readyWhen(role, child, appears(join(dataFolder, "run.json"), child.pid ?? 0));
}

/** Starts another program and resolves when it is ready: a JSON file names its pid, or it says so on its output. */
export async function startProgram(options: {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ready: { readonly file: string } | { readonly says: RegExp };
}): Promise<Running & { readonly greeting: string }> {
  const env = { ...plainEnvironment(), ...options.environment };
  if ("file" in options.ready) {
    const child = start(options.command, options.args, { stdio: ["ignore", "pipe", "pipe", "ipc"], env });
    return { ...(await readyWhen(options.name, child, appears(options.ready.file, child.pid ?? 0))), greeting: "" };
  }
  const child = start(options.command, options.args, { stdio: ["ignore", "pipe", "pipe"], env });
  // Without a channel it would not notice our end.
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  child.once("close", () => process.off("exit", end));
  let greeting = "";
  const said = says(child, options.ready.says).then((match) => {
    greeting = match;
    return "there" as const;
  });
  return { ...(await readyWhen(options.name, child, said)), greeting };
}

/** Starts the module `name` of this folder, from the sources or from dist/, as a process of its own. */
export function ownModule(name: string): string {
  return fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? `./${name}.ts` : `./${name}.js`, import.meta.url));
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

/** As `spawn`, noted as one of ours until it has ended. */
function start(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, options);
  living.add(child);
  for (const end of ["close", "error"] as const) child.once(end, () => living.delete(child));
  return child;
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code));
  });
}

function collect(...streams: readonly (NodeJS.ReadableStream | null)[]): { text(): string } {
  let text = "";
  for (const stream of streams) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text = (text + chunk).slice(-1024 * 1024);
    });
  }
  return { text: () => text };
}

async function stop(child: ChildProcess, ended: Promise<number | null>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended.catch(() => null);
  clearTimeout(killer);
}

async function readyWhen(name: string, child: ChildProcess, ready: Promise<"there" | "late">): Promise<Running> {
  const printed = collect(child.stdout, child.stderr);
  const ended = endOf(child);
  const gone = ended.then(
    () => "gone" as const,
    () => "gone" as const,
  );
  const outcome = await Promise.race([ready, gone]);
  const running = { name, pid: child.pid ?? 0, ended, stop: () => stop(child, ended), printed: printed.text };
  if (outcome === "there") return running;
  await running.stop();
  const why = outcome === "gone" ? "ended before it was ready" : "was not ready in time";
  throw new CliError("CLI_DEMO", `${name} ${why}: ${printed.text().slice(-keptTail).trim()}`);
}

/** Resolves with the first group of `pattern` when the child has said it. */
function says(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const listen = (chunk: Buffer | string): void => {
      if (text.length > keptTail) return;
      text += chunk.toString();
      const match = pattern.exec(text);
      if (match) resolve(match[1] ?? "");
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
  });
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
