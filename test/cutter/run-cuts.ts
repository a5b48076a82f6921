import type { Outcome } from "../../firmware-adapters/index.ts";
import type { Cut, Cutter, Direction } from "../support/cutter.ts";
import { type Truth, wrongClass } from "./judge.ts";

/** One exchange of an adapter with a device of its own, set up anew for each cut. */
export interface CutExchange {
  /** Of the adapter and its device, e.g. `ssh passwd`. */
  readonly adapter: string;
  readonly name: string;
  /** What a cut counts. */
  readonly unit: "byte" | "datagram";
  readonly ways: readonly Cut["direction"][];
  readonly hows: readonly Cut["how"][];
  /**
   * The cuts to try, from what an exchange that nobody cut sent: every one where null, else these. Beside each other's ends
   * they are the places where an adapter goes from one state to the next.
   */
  sample: ((ends: readonly number[], how: Cut["how"]) => readonly number[]) | null;
  /** How many cuts run at a time. */
  readonly lanes: number;
  /** Does it once through a cutter, and looks what became of the device. */
  run(cut: Cut | null): Promise<{ readonly outcome: Outcome; readonly truth: Truth; readonly cutter: Cutter }>;
}

/** One cut and what came of it. */
export interface Observation {
  readonly cut: Cut;
  readonly outcome: Outcome;
  readonly truth: Truth;
  /** Why the class is wrong, or null. */
  readonly wrong: string | null;
}

/** What all cuts of one exchange came to. */
export interface CutResult {
  readonly exchange: CutExchange;
  /** Length of the uncut exchange in each way, in its unit. */
  readonly length: string;
  readonly observations: readonly Observation[];
}

/** Runs an exchange uncut, which must work, and then with each cut. */
export async function runCuts(exchange: CutExchange): Promise<CutResult> {
  const whole = await exchange.run(null);
  if (wrongClass(whole.outcome, whole.truth) !== null || whole.outcome.kind === "AMBIGUOUS")
    throw new Error(`${exchange.adapter} ${exchange.name} does not work uncut: ${whole.outcome.kind} ${whole.outcome.code}`);
  const cuts = exchange.ways.flatMap((way) => {
    const ends = endsOf(whole.cutter.ends, way);
    const every = Array.from({ length: (ends.at(-1) ?? 0) + 1 }, (_, after) => after);
    return exchange.hows.flatMap((how) =>
      (exchange.sample?.(ends, how) ?? every).map((after): Cut => ({ direction: way, after, how })),
    );
  });
  const observations: Observation[] = [];
  const lane = async () => {
    for (let cut = cuts.shift(); cut !== undefined; cut = cuts.shift()) {
      const { outcome, truth } = await exchange.run(cut);
      observations.push({ cut, outcome, truth, wrong: wrongClass(outcome, truth) });
    }
  };
  await Promise.all(Array.from({ length: exchange.lanes }, lane));
  const length = exchange.ways.map((way) => endsOf(whole.cutter.ends, way).at(-1) ?? 0).join(" + ");
  return { exchange, length: `${length} ${exchange.unit}s`, observations };
}

function endsOf(ends: Cutter["ends"], way: Direction | "both"): readonly number[] {
  if (way !== "both") return ends[way];
  return [ends.request.length + ends.answer.length];
}

/** Every message's end with the units `around` it, and every `stride`-th unit between. */
export function endsAndStride(stride: number, around = 1): (ends: readonly number[]) => readonly number[] {
  return (ends) => {
    const last = ends.at(-1) ?? 0;
    const near = ends.flatMap((end) => Array.from({ length: 2 * around + 1 }, (_, step) => end - around + step));
    const regular: number[] = [];
    for (let after = 0; after <= last; after += stride) regular.push(after);
    return [...new Set([...near, ...regular])].filter((after) => after >= 0 && after <= last).sort((a, b) => a - b);
  };
}

/** The table that people look at: a line an exchange. */
export function cutterTable(results: readonly CutResult[]): string {
  const kinds = ["OK", "NOT_SENT", "AMBIGUOUS", "REJECTED_AUTH", "REJECTED_POLICY"] as const;
  const rows = results.map(({ exchange, length, observations }) => [
    exchange.adapter,
    exchange.name,
    length,
    exchange.sample === null ? "every" : "sampled",
    String(observations.length),
    ...kinds.map((kind) => String(observations.filter(({ outcome }) => outcome.kind === kind).length)),
    String(observations.filter(({ wrong }) => wrong !== null).length),
  ]);
  const head = [
    "adapter",
    "exchange",
    "length",
    "k",
    "cuts",
    ...kinds.map((kind) => kind.replace("REJECTED_", "REJ_")),
    "wrong",
  ];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
