import { type Adapter, notSent, type Operation, type Outcome } from "../contract/index.ts";
import { type AdapterName, adapterNames } from "../registry/index.ts";
import { AdapterProcess, type HostTimers } from "./adapter-process.ts";
import { idleProcessMs, maxJobsPerProcess, maxQueuedJobs, maxTimeoutMs, processGraceMs } from "./limits.ts";
import type { JobMessage } from "./messages.ts";

/** Runs adapters in processes of their own, one process an adapter and one job at a time in it. */
export interface AdapterHost {
  /** Does one operation; never rejects. What could not be given to a process is NOT_SENT, what was lost in one AMBIGUOUS. */
  run<Name extends Operation>(adapter: string, operation: Name, job: Parameters<Adapter[Name]>[0]): Promise<Outcome>;
  /** The processes alive now. */
  processes(): readonly { readonly adapter: AdapterName; readonly pid: number }[];
  /** Takes no more jobs, gives those under way a moment, and ends every process. Idempotent. */
  close(): Promise<void>;
}

export interface AdapterHostOptions {
  readonly timers: HostTimers;
}

/** An adapter host without processes; each starts with its adapter's first job. */
export function createAdapterHost(options: AdapterHostOptions): AdapterHost {
  return new ProcessHost(options.timers);
}

interface WaitingJob {
  readonly message: JobMessage;
  readonly settle: (outcome: Outcome) => void;
}

class ProcessHost implements AdapterHost {
  readonly #lanes: ReadonlyMap<AdapterName, Lane>;

  constructor(timers: HostTimers) {
    this.#lanes = new Map(adapterNames.map((name) => [name, new Lane(timers)]));
  }

  async run<Name extends Operation>(adapter: string, operation: Name, job: Parameters<Adapter[Name]>[0]): Promise<Outcome> {
    const name = adapterNames.find((known) => known === adapter);
    const lane = name === undefined ? undefined : this.#lanes.get(name);
    if (name === undefined || lane === undefined || job.model.adapter !== name) {
      return notSent("ADAPTER_UNKNOWN", `model ${job.model.name} and adapter do not go together`);
    }
    if (!(job.timeoutMs > 0 && job.timeoutMs <= maxTimeoutMs)) {
      return notSent("DEVICE_SETTINGS_INVALID", `time limit out of range, allowed: 1 to ${maxTimeoutMs} ms`);
    }
    return lane.run({ adapter: name, operation, job });
  }

  processes(): readonly { readonly adapter: AdapterName; readonly pid: number }[] {
    return [...this.#lanes].flatMap(([adapter, lane]) => (lane.pid === null ? [] : [{ adapter, pid: lane.pid }]));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
  }
}

/** One adapter's queue and its process. */
class Lane {
  readonly #timers: HostTimers;
  readonly #waiting: WaitingJob[] = [];
  readonly #leaving = new Set<Promise<void>>();
  #process: AdapterProcess | null = null;
  #working: Promise<void> | null = null;
  #cancelIdle: () => void = () => {};
  #closed = false;

  constructor(timers: HostTimers) {
    this.#timers = timers;
  }

  get pid(): number | null {
    return this.#process?.alive === true ? this.#process.pid : null;
  }

  run(message: JobMessage): Promise<Outcome> {
    if (this.#closed) return Promise.resolve(notSent("ADAPTER_HOST_CLOSED", "the edge is stopping"));
    if (this.#waiting.length >= maxQueuedJobs)
      return Promise.resolve(notSent("ADAPTER_QUEUE_FULL", `${maxQueuedJobs} jobs wait`));
    return new Promise((settle) => {
      this.#waiting.push({ message, settle });
      this.#working ??= this.#work();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelIdle();
    for (const { settle } of this.#waiting.splice(0)) settle(notSent("ADAPTER_HOST_CLOSED", "the edge is stopping"));
    const cancel = this.#timers.after(processGraceMs, () => void this.#process?.kill("the edge is stopping"));
    await this.#working;
    cancel();
    this.#retire();
    await Promise.all(this.#leaving);
  }

  async #work(): Promise<void> {
    this.#cancelIdle();
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      const process = this.#usable();
      job.settle(await process.run(job.message));
      if (process.jobsTaken >= maxJobsPerProcess) this.#retire();
    }
    // In the same turn as the queue was seen empty, so that no job is left without a worker.
    this.#working = null;
    if (!this.#closed) this.#cancelIdle = this.#timers.after(idleProcessMs, () => this.#retire());
  }

  #usable(): AdapterProcess {
    if (this.#process?.alive !== true) this.#process = new AdapterProcess(this.#timers);
    return this.#process;
  }

  #retire(): void {
    const process = this.#process;
    if (process === null) return;
    this.#process = null;
    const left = process.retire().finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }
}
