import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { type LogOfLeaves, type ScannedEntries, scanEntries } from "../../protocol/audit/index.ts";
import { readEntries } from "./bounded-file.ts";

/** What a thread is given at a time. */
export interface ScanJob {
  /** Files of entry bundles. */
  readonly paths: readonly string[];
  readonly log: LogOfLeaves;
}

/** Bundles of one job: 4,096 entries. */
const jobBundles = 16;
/** Fewer bundles than this are scanned before a thread has started. */
const threadsFrom = 128;
/** Each costs 20 MB, and one thread goes on folding what the others scan. */
const maxThreads = 4;
/** Jobs that wait at each thread, so that none waits for the next one. */
const jobsAhead = 2;

/** As many threads as pay off for so many bundles; 0 to scan them here. */
export function threadsFor(bundles: number): number {
  const threads = Math.min(maxThreads, availableParallelism());
  return bundles < threadsFrom || threads < 2 ? 0 : threads;
}

/**
 * What there is to know about each bundle's entries, in the order of `paths`; scanned on `threads` threads beside this one, with no more than a
 * few jobs ahead. Throws AUDIT_FOLDER_UNREADABLE.
 */
export async function* scanBundles(
  paths: readonly string[],
  log: LogOfLeaves,
  threads = threadsFor(paths.length),
): AsyncGenerator<ScannedEntries> {
  const jobs = Array.from({ length: Math.ceil(paths.length / jobBundles) }, (_, job): ScanJob => {
    return { paths: paths.slice(job * jobBundles, (job + 1) * jobBundles), log };
  });
  const pool = await Promise.all(Array.from({ length: threads }, () => ScanThread.start()));
  const running: Promise<readonly ScannedEntries[] | null>[] = [];
  const begin = (at: number): void => {
    const job = jobs[at];
    const thread = pool[at % threads];
    if (job !== undefined && thread !== undefined) running.push(thread.scan(job));
  };
  try {
    for (let at = 0; at < threads * jobsAhead; at += 1) begin(at);
    for (const [at, job] of jobs.entries()) {
      const done = (await running.shift()) ?? null;
      begin(at + threads * jobsAhead);
      // What a thread cannot do is done again here: its error is then the one that is told.
      if (done !== null) yield* done;
      else for (const path of job.paths) yield scanEntries(readEntries(path), log);
    }
  } finally {
    await Promise.all(pool.map((thread) => thread.end()));
  }
}

/** A thread that scans one job after the other. */
class ScanThread {
  readonly #worker: Worker;
  readonly #waiting: ((parts: readonly ScannedEntries[] | null) => void)[] = [];
  #ended = false;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (parts: readonly ScannedEntries[] | null) => this.#waiting.shift()?.(parts));
    worker.on("error", () => this.#giveUp());
    worker.on("exit", () => this.#giveUp());
  }

  /** Loaded only here: a node that verifies nothing has no use for threads. */
  static async start(): Promise<ScanThread> {
    const { Worker } = await import("node:worker_threads");
    const entry = new URL(`./scan-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
    return new ScanThread(new Worker(entry, { resourceLimits: { maxYoungGenerationSizeMb: 4 } }));
  }

  /** Null where the thread could not. */
  scan(job: ScanJob): Promise<readonly ScannedEntries[] | null> {
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(job);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #giveUp(): void {
    this.#ended = true;
    for (const resolve of this.#waiting.splice(0)) resolve(null);
  }
}
