import { CrashPlant } from "./crash-plant.ts";
import { type AdapterKind, adapters as allAdapters } from "./devices.ts";
import { allCells, type Cell } from "./failpoints.ts";
import { Lane, type Verdict } from "./lane.ts";
import type { NodeChild } from "./node-child.ts";
import { pause } from "./pause.ts";
import { scenarios } from "./scenarios.ts";
import { Turns } from "./turns.ts";

export interface CrashOptions {
  /** Kills asked for, shared out among the adapters. */
  readonly kills: number;
  readonly adapters?: readonly AdapterKind[];
  /** Only these; all unless given. */
  readonly failpoints?: readonly string[];
  /** A module that every edge loads first: a planted bug. */
  readonly planted?: string;
  /** Longest wait for an account to converge, ms. */
  readonly patienceMs?: number;
  readonly onKill?: (kill: Kill) => void;
  /** No round begins any more once it is aborted, and those under way are not judged. */
  readonly signal?: AbortSignal;
}

/** One kill and what came of it. */
export interface Kill {
  readonly cell: Cell;
  readonly verdict: Verdict;
  readonly ms: number;
}

export interface Tally {
  readonly cell: Cell;
  readonly kills: number;
  /** Rounds that ended without the failpoint having been passed. */
  readonly misses: number;
}

export interface CrashResult {
  readonly kills: readonly Kill[];
  readonly tallies: readonly Tally[];
  /** The servers, as they state themselves. */
  readonly servers: Readonly<Partial<Record<AdapterKind, string>>>;
  readonly ms: number;
}

/** Rounds in a row without a kill after which a failpoint is given up. */
const maxMisses = 3;

/** Kills processes of a whole system until there were enough of it, and judges after each. */
export async function runCrashes(options: CrashOptions): Promise<CrashResult> {
  const started = performance.now();
  const adapters = options.adapters ?? allAdapters;
  const plant = await CrashPlant.start({ adapters, planted: options.planted });
  const lanes: Lane[] = [];
  const run = new CrashRun(options, adapters);
  try {
    const opened = adapters.map(async (adapter) => {
      lanes.push(await Lane.open(plant, adapter, options.patienceMs));
    });
    // All of them first: what one opened while another failed is closed, too.
    await Promise.allSettled(opened);
    await Promise.all(opened);
    await until(options.signal, Promise.all(lanes.map((lane) => run.go(lane))));
  } finally {
    await plant.close();
    await Promise.all(lanes.map((lane) => lane.device.stop()));
  }
  const servers = Object.fromEntries(lanes.map(({ adapter, device }) => [adapter, device.title]));
  return { kills: run.kills, tallies: run.tallies, servers, ms: performance.now() - started };
}

class CrashRun {
  readonly kills: Kill[] = [];
  readonly #options: CrashOptions;
  readonly #cells: { cell: Cell; kills: number; misses: number; missedInRow: number }[];
  readonly #turns = new Turns();

  constructor(options: CrashOptions, adapters: readonly AdapterKind[]) {
    this.#options = options;
    const { failpoints } = options;
    this.#cells = allCells()
      .filter(({ adapter, failpoint }) => adapters.includes(adapter) && (failpoints?.includes(failpoint) ?? true))
      .sort((a, b) => adapters.indexOf(a.adapter) - adapters.indexOf(b.adapter))
      .map((cell) => ({ cell, kills: 0, misses: 0, missedInRow: 0 }));
  }

  get tallies(): Tally[] {
    return this.#cells.map(({ cell, kills, misses }) => ({ cell, kills, misses }));
  }

  /** Kills on one adapter's way until it has had its share of them, or its account is lost. */
  async go(lane: Lane): Promise<void> {
    for (let left = this.#shareOf(lane.adapter); left > 0; ) {
      const next = this.#next(lane.adapter);
      if (next === null) return;
      const started = performance.now();
      const verdict = await this.#safely(lane, next);
      if (this.#options.signal?.aborted === true) return;
      if (verdict === null) {
        next.misses += 1;
        next.missedInRow += 1;
        continue;
      }
      left -= 1;
      next.kills += 1;
      next.missedInRow = 0;
      const kill = { cell: next.cell, verdict, ms: performance.now() - started };
      this.kills.push(kill);
      this.#options.onKill?.(kill);
      // Nothing that follows on this account would tell anything.
      if (verdict.kind !== "one") return;
    }
  }

  /** Every adapter gets kills by the number of its failpoints, so that none of them is left out. */
  #shareOf(adapter: AdapterKind): number {
    const { kills } = this.#options;
    const before = this.#cells.findIndex(({ cell }) => cell.adapter === adapter);
    const own = this.#cells.filter(({ cell }) => cell.adapter === adapter).length;
    const upTo = (cells: number) => Math.round((kills * cells) / this.#cells.length);
    return upTo(before + own) - upTo(before);
  }

  /** A round in its turn: one that kills the vault alone. What it throws tells nothing good of the processes. */
  async #safely(lane: Lane, { cell, kills, misses }: { cell: Cell; kills: number; misses: number }): Promise<Verdict | null> {
    const round = () => this.#round(lane, cell, kills + misses);
    try {
      return cell.node === "vault" ? await this.#turns.alone(round) : await this.#turns.beside(round);
    } catch (error) {
      return { kind: "unknown", why: String(error), version: "" };
    }
  }

  /** The failpoint with the fewest kills so far; of those the one that was tried least. */
  #next(adapter: AdapterKind) {
    const open = this.#cells.filter(({ cell, missedInRow }) => cell.adapter === adapter && missedInRow < maxMisses);
    return open.sort((a, b) => a.kills - b.kills || a.misses - b.misses)[0] ?? null;
  }

  /** One kill, restart and judgement; null where the process never passed the failpoint. */
  async #round(lane: Lane, cell: Cell, nth: number): Promise<Verdict | null> {
    const target = lane.calls[cell.node];
    // Another pass each time, in leaps so that a few kills are spread over all of them.
    const armed = { failpoint: cell.failpoint, skip: (nth * 7) % cell.passes };
    const { orderId, afterwards } = await scenarios[cell.scenario]({ lane, target, armed });
    const died = await diesOrRests(lane, target, orderId);
    if (died) await target.start();
    else await target.arm(null);
    await afterwards?.();
    const verdict = await lane.judge(orderId);
    return died || verdict.kind !== "one" ? verdict : null;
  }
}

/** How long an account has rested before it is believed that the failpoint will not be passed any more, ms. */
const restMs = 400;

async function diesOrRests(lane: Lane, target: NodeChild, orderId: string | null): Promise<boolean> {
  let restsSince: number | null = null;
  // Where it neither dies nor comes to rest the judge says so.
  const late = performance.now() + lane.patienceMs;
  while (target.alive && performance.now() < late) {
    if (!(await lane.isStill(orderId))) restsSince = null;
    else restsSince ??= performance.now();
    if (restsSince !== null && performance.now() - restsSince > restMs) return !target.alive;
    await pause(25);
  }
  return !target.alive;
}

/** Waits for the work, or for the signal, whichever comes first. */
async function until(signal: AbortSignal | undefined, work: Promise<unknown>): Promise<void> {
  if (signal === undefined) return void (await work);
  const aborted = Promise.withResolvers<void>();
  const abort = () => aborted.resolve();
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  work.catch(() => {});
  await Promise.race([work, aborted.promise]);
  signal.removeEventListener("abort", abort);
}
