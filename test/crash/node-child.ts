import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { NodeRole } from "../../agent/data-folder/index.ts";
import type { Armed, ArmMessage, NodeAnswer } from "./messages.ts";
import { pause } from "./pause.ts";

const program = fileURLToPath(new URL("./node-process.ts", import.meta.url));

/** How long a node may take until it serves or has closed, ms: a loaded machine starts one in some seconds. */
const patienceMs = 60_000;
/** How much of its output is kept for a failure's message, characters. */
const keptOutput = 64 * 1024;

export interface NodeChildOptions {
  readonly role: NodeRole;
  readonly folder: string;
  /** Where Node keeps what it compiled, so that a start takes half as long. */
  readonly compiled: string;
  /** A module that the process loads first: a planted bug. */
  readonly planted?: string | undefined;
}

/** One node of the rig: a process that can be armed, dies by itself and is started again. */
export class NodeChild {
  readonly #options: NodeChildOptions;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #output = "";

  constructor(options: NodeChildOptions) {
    this.#options = options;
  }

  get alive(): boolean {
    return this.#child !== null;
  }

  get folder(): string {
    return this.#options.folder;
  }

  /** What its processes printed, the last of it. */
  get output(): string {
    return this.#output;
  }

  /** Starts it and resolves when it serves: true. Where it was armed at a failpoint that lies on the way there: false, and it is dead. */
  async start(failpoint?: string): Promise<boolean> {
    const { role, folder, compiled, planted } = this.#options;
    const flags = planted === undefined ? [] : ["--import", planted];
    const child = spawn(process.execPath, [...flags, program, role, folder, ...(failpoint === undefined ? [] : [failpoint])], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { PATH: process.env["PATH"] ?? "", NODE_COMPILE_CACHE: compiled },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-keptOutput);
      });
    this.#ended = new Promise((resolve) => {
      child.once("close", () => {
        this.#child = null;
        resolve();
      });
    });
    const outcome = await within(
      `${role} to start`,
      Promise.race([this.#says("ready"), this.#ended.then(() => "dead" as const)]),
    );
    if (outcome === "dead" && failpoint === undefined) throw new Error(`${role} ended instead of serving: ${this.#output}`);
    return outcome !== "dead";
  }

  /** Arms it, or disarms it with null; returns false where it is dead. */
  async arm(armed: Armed | null): Promise<boolean> {
    const child = this.#child;
    if (child === null || !child.connected) return false;
    const answered = Promise.race([this.#says("armed"), this.#ended.then(() => "dead" as const)]);
    child.send({ arm: armed } satisfies ArmMessage, () => {});
    return (await within("an answer", answered)) !== "dead";
  }

  /** Ends it as an operator does. Idempotent. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    if (child.connected) child.disconnect();
    const killer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await this.#ended;
    clearTimeout(killer);
  }

  /** Waits until it has died by itself. */
  async death(): Promise<void> {
    await within(`${this.#options.role} to die`, this.#ended);
  }

  /** A call that failed because the process died is an answer; where it lives on the error is thrown. */
  async deathAfter(error: unknown): Promise<void> {
    const late = pause(5_000).then(() => "alive");
    if ((await Promise.race([this.#ended, late])) === "alive" && this.alive) throw error;
  }

  /** Ends it at once. Idempotent. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  #says(what: NodeAnswer): Promise<NodeAnswer> {
    const child = this.#child;
    return new Promise((resolve) => {
      const listen = (message: unknown): void => {
        if (message !== what) return;
        child?.off("message", listen);
        resolve(what);
      };
      child?.on("message", listen);
    });
  }
}

function within<T>(what: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`waited ${patienceMs / 1000} s for ${what}`)), patienceMs);
    work.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
