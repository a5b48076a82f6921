import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { ambiguous, type DeviceCode, notSent, type Outcome } from "../contract/index.ts";
import { jobBudgetMs } from "./job-budget.ts";
import { processGraceMs, processStartMs } from "./limits.ts";
import type { AnswerMessage, JobMessage } from "./messages.ts";

/** What the host takes from the machine: `after` calls `fire` once after `delayMs`; what it returns cancels. */
export interface HostTimers {
  after(delayMs: number, fire: () => void): () => void;
}

/** A job as handed to the process, and how far it came. */
interface CurrentJob {
  readonly message: JobMessage;
  readonly settle: (outcome: Outcome) => void;
  handedOver: boolean;
}

/** One child process of one adapter. `run` one job at a time; after `retire` or its death it takes none. */
export class AdapterProcess {
  readonly #child: ChildProcess;
  readonly #timers: HostTimers;
  readonly #exited: Promise<void>;
  #cancelTimer: () => void;
  #ready = false;
  #alive = true;
  #current: CurrentJob | null = null;
  jobsTaken = 0;

  constructor(timers: HostTimers) {
    this.#timers = timers;
    // Beside this file in development (.ts) as in dist/ (.js).
    const entry = new URL(`./child${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
    this.#child = fork(entry, [], {
      serialization: "advanced",
      execArgv: [],
      env: childEnvironment(),
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.once("error", () => resolve());
    });
    void this.#exited.then(() => this.#end("ADAPTER_DIED", "the adapter's process ended"));
    this.#child.on("message", (message: AnswerMessage) => this.#receive(message));
    this.#cancelTimer = timers.after(processStartMs, () => this.#giveUp("the adapter's process did not start in time"));
  }

  /** The process id, or null where it could not be started. */
  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** False once it has died, been killed or been told to leave. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Does one job; never rejects. */
  run(message: JobMessage): Promise<Outcome> {
    this.jobsTaken += 1;
    return new Promise((resolve) => {
      this.#current = { message, handedOver: false, settle: resolve };
      if (!this.#alive) this.#settle(notSent("ADAPTER_DIED", "the adapter's process has ended"));
      else if (this.#ready) this.#handOver(this.#current);
    });
  }

  /** Closes the channel, waits for the process to leave, and kills it where it does not. Idempotent. */
  async retire(): Promise<void> {
    this.#alive = false;
    this.#cancelTimer();
    if (this.#child.connected) this.#child.disconnect();
    const cancel = this.#timers.after(processGraceMs, () => this.#child.kill("SIGKILL"));
    await this.#exited;
    cancel();
  }

  /** Kills the process by its id at once; a job that it was given ends AMBIGUOUS. */
  kill(why: string): Promise<void> {
    this.#giveUp(why);
    return this.#exited;
  }

  #receive(message: AnswerMessage): void {
    if ("ready" in message) {
      this.#ready = true;
      this.#cancelTimer();
      if (this.#current !== null && this.#alive) this.#handOver(this.#current);
    } else {
      this.#settle(message.outcome);
    }
  }

  #handOver(current: CurrentJob): void {
    this.#cancelTimer = this.#timers.after(jobBudgetMs(current.message.job), () => this.#giveUp("the operation took too long"));
    current.handedOver = true;
    this.#child.send(current.message, (error) => {
      if (error !== null) this.#giveUp("the channel to the adapter's process broke");
    });
  }

  #giveUp(why: string): void {
    this.#end("ADAPTER_TIMED_OUT", why);
    this.#child.kill("SIGKILL");
  }

  #end(code: DeviceCode, detail: string): void {
    this.#alive = false;
    const handedOver = this.#current?.handedOver ?? false;
    this.#settle(handedOver ? ambiguous(code, detail) : notSent(code, detail));
  }

  #settle(outcome: Outcome): void {
    this.#cancelTimer();
    const current = this.#current;
    this.#current = null;
    current?.settle(outcome);
  }
}

/** Nothing of the edge's environment: DEBUG prints frames, NODE_OPTIONS loads code. Windows opens no socket without SystemRoot. */
function childEnvironment(): NodeJS.ProcessEnv {
  const systemRoot = process.platform === "win32" ? process.env["SystemRoot"] : undefined;
  return systemRoot === undefined ? {} : { SystemRoot: systemRoot };
}
