/** One measured row. `measure` throws NotRun where the machine lacks what it needs. */
export interface Row {
  readonly name: string;
  /** What must hold, in words; `met` decides it. */
  readonly target: string;
  measure(): Promise<Measured>;
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

/** Calls per second of `work`, the median of `rounds` rounds of about `roundMs` each, after one round to warm up. */
export function callsPerSecond(work: () => void, rounds = 5, roundMs = 400): number {
  const round = (): number => {
    const started = performance.now();
    let calls = 0;
    while (performance.now() - started < roundMs) {
      for (let i = 0; i < 10; i += 1) work();
      calls += 10;
    }
    return (calls / (performance.now() - started)) * 1000;
  };
  round();
  return median(Array.from({ length: rounds }, round));
}

/** 12345.6 as "12,346". */
export function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
