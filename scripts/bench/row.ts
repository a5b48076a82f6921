import type { Bench } from "./bench.ts";

/** One measured row. `measure` throws NotRun where the machine lacks what it needs. */
export interface Row {
  readonly name: string;
  /** What must hold, in words; `met` decides it. */
  readonly target: string;
  measure(bench: Bench): Promise<Measured>;
}

export interface Measured {
  /** The figure in words, with its unit. */
  readonly figure: string;
  readonly met: boolean;
  /** The raw numbers, for --json. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** This row cannot be measured here; the message says what is missing. */
export class NotRun extends Error {}

/** The middle one of `values`. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** How often something was called, in the middle of the rounds. */
export interface CallRate {
  /** By the clock on the wall. */
  readonly perSecond: number;
  /** By this process's CPU time, user and system. */
  readonly perCpuSecond: number;
}

/** Calls to warm up with: a server that runs for years is measured, not its first second. */
const warmUpMs = 2000;

/**
 * How often each of `works` can be called; medians of `rounds` rounds of about `roundMs` each. They take turns, round by round, so
 * that what else the machine does hits all of them.
 */
export function callRates(works: readonly (() => void)[], rounds = 9, roundMs = 300): CallRate[] {
  const round = (work: () => void, ms: number): CallRate => {
    const started = performance.now();
    const before = process.cpuUsage();
    let calls = 0;
    while (performance.now() - started < ms) {
      for (let i = 0; i < 10; i += 1) work();
      calls += 10;
    }
    const { user, system } = process.cpuUsage(before);
    return { perSecond: (calls / (performance.now() - started)) * 1000, perCpuSecond: (calls / (user + system)) * 1e6 };
  };
  for (const work of works) round(work, warmUpMs);
  const taken = Array.from({ length: rounds }, () => works.map((work) => round(work, roundMs)));
  return works.map((_, i) => ({
    perSecond: median(taken.map((rates) => rates[i]?.perSecond ?? 0)),
    perCpuSecond: median(taken.map((rates) => rates[i]?.perCpuSecond ?? 0)),
  }));
}

/** 12345.6 as "12,346". */
export function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
