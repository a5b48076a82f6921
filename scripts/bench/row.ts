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

/**
 * Calls of `work` per second of the wall's clock and per second of this process's CPU time, user and system; medians of `rounds`
 * rounds of about `roundMs` each, after one round to warm up.
 */
export function callRates(work: () => void, rounds = 9, roundMs = 400): { perSecond: number; perCpuSecond: number } {
  const round = (): { perSecond: number; perCpuSecond: number } => {
    const started = performance.now();
    const before = process.cpuUsage();
    let calls = 0;
    while (performance.now() - started < roundMs) {
      for (let i = 0; i < 10; i += 1) work();
      calls += 10;
    }
    const { user, system } = process.cpuUsage(before);
    return { perSecond: (calls / (performance.now() - started)) * 1000, perCpuSecond: (calls / (user + system)) * 1e6 };
  };
  round();
  const taken = Array.from({ length: rounds }, round);
  return { perSecond: median(taken.map((one) => one.perSecond)), perCpuSecond: median(taken.map((one) => one.perCpuSecond)) };
}

/** 12345.6 as "12,346". */
export function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
