import { Worker } from "node:worker_threads";
import type { SeedResult } from "./run-seed.ts";

/** Every `stride`th seed from `from` on, below `to`. */
export interface WorkerShare {
  readonly from: number;
  readonly to: number;
  readonly stride: number;
}

/** Looks for every `stride`th planted bug from the `bugsFrom`th on. */
export interface BugShare {
  readonly bugsFrom: number;
  readonly stride: number;
}

/** What became of one planted bug. */
export interface Hunt {
  readonly bug: string;
  /** Null where no seed has found it. */
  readonly found: { readonly seed: number; readonly problem: string } | null;
}

export interface Seeds {
  readonly from: number;
  readonly to: number;
  /** Threads that share the seeds. */
  readonly jobs: number;
  /** Told of each seed as it ends, in no certain order. */
  take(result: SeedResult): void;
}

/** Worlds leave much behind: a larger young generation is collected less often. */
const resourceLimits = { maxYoungGenerationSizeMb: 96 } as const;

/** Plays seeds in threads of their own. Rejects where a thread breaks. */
export async function runSeeds({ from, to, jobs, take }: Seeds): Promise<void> {
  const shares = Array.from({ length: jobs }, (_, i) => ({ from: from + i, to, stride: jobs }));
  await Promise.all(shares.map((share) => work(share, take)));
}

/** Looks for all planted bugs in threads of their own. Rejects where a thread breaks. */
export async function huntBugs(jobs: number, take: (hunt: Hunt) => void): Promise<void> {
  const shares = Array.from({ length: jobs }, (_, i) => ({ bugsFrom: i, stride: jobs }));
  await Promise.all(shares.map((share) => work(share, take)));
}

function work<Result>(share: WorkerShare | BugShare, take: (result: Result) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: share, resourceLimits });
    worker.on("message", take);
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
}
