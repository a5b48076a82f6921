import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The full path of a program in PATH or in the folders of system programs, or null. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/bin"];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

export interface StartOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** A line of output that says that the server is ready. */
  readonly ready: RegExp;
}

/** A server process of a test: started, ready, and ended by its own id. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  /** What matched `ready`. */
  readonly greeting: RegExpMatchArray;
  /** Everything that it has printed so far. */
  output = "";

  private constructor(child: ChildProcess, exited: Promise<void>, greeting: RegExpMatchArray) {
    this.#child = child;
    this.#exited = exited;
    this.greeting = greeting;
    const read = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
  }

  /** Starts it and waits for its ready line; rejects with its output where it ends before. */
  static async start(options: StartOptions): Promise<PeerProcess> {
    const child = spawn(options.program, options.args, {
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
    // A test that dies leaves no server behind.
    const end = () => child.kill("SIGKILL");
    process.once("exit", end);
    void exited.then(() => process.off("exit", end));
    const greeting = await new Promise<RegExpMatchArray>((resolve, reject) => {
      let output = "";
      const read = (chunk: Buffer) => {
        output += chunk.toString();
        const match = output.match(options.ready);
        if (match !== null) resolve(match);
      };
      child.stdout?.on("data", read);
      child.stderr?.on("data", read);
      child.once("error", reject);
      void exited.then(() => reject(new Error(`${options.program} ended: ${output}`)));
    });
    return new PeerProcess(child, exited, greeting);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Writes one line to its standard input and resolves once it has answered with a line that starts with `ok`. */
  async tell(line: string): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      const read = (chunk: Buffer) => {
        if (!/^ok\b/m.test(chunk.toString())) return;
        this.#child.stdout?.off("data", read);
        resolve();
      };
      this.#child.stdout?.on("data", read);
    });
    this.#child.stdin?.write(`${line}\n`);
    await answered;
  }

  /** Sends `signal` and waits until the process is gone. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#child.kill(signal);
    await this.#exited;
  }
}
