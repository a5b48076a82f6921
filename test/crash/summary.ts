import { type AdapterKind, adapters } from "./devices.ts";
import { neverReason, unreachable } from "./failpoints.ts";
import type { CrashResult } from "./run.ts";

/** What a run of the crash rig found. */
export interface Summary {
  readonly ok: boolean;
  readonly kills: number;
  readonly lost: number;
  readonly lockedOut: number;
  readonly unknown: number;
  readonly seconds: number;
  readonly servers: CrashResult["servers"];
  /** A row for each failpoint; null where it cannot be met with that adapter. */
  readonly table: readonly { readonly failpoint: string; readonly kills: Readonly<Record<AdapterKind, number | null>> }[];
  /** Pairs of failpoint and adapter without a kill. */
  readonly never: readonly string[];
  readonly problems: readonly string[];
  /** Failpoints that are not asked for, with the reason. */
  readonly unreachable: Readonly<Record<string, string>>;
}

/** Sums a run up. It is in order where nothing was lost and, in a run of enough kills, no failpoint was left out. */
export function summaryOf({ kills, tallies, servers, ms }: CrashResult, asked: number): Summary {
  const count = (kind: string) => kills.filter(({ verdict }) => verdict.kind === kind).length;
  const names = [...new Set(tallies.map(({ cell }) => cell.failpoint))];
  const table = names.map((failpoint) => {
    const killsOf = (adapter: AdapterKind) =>
      tallies.find(({ cell }) => cell.failpoint === failpoint && cell.adapter === adapter)?.kills ?? null;
    const killsOfAll = Object.fromEntries(adapters.map((adapter) => [adapter, killsOf(adapter)]));
    return { failpoint, kills: killsOfAll as Record<AdapterKind, number | null> };
  });
  const never = tallies
    .filter((tally) => tally.kills === 0)
    .map(({ cell, misses }) => `${cell.failpoint} with ${cell.adapter}${misses > 0 ? ` (tried ${misses} times)` : ""}`);
  const problems = kills
    .filter(({ verdict }) => verdict.kind !== "one")
    .map(({ cell, verdict }) => `${cell.node} of ${cell.adapter} at ${cell.failpoint}: ${verdict.kind}, ${verdict.why}`);
  const whole = kills.length >= asked && (asked < tallies.length || never.length === 0);
  return {
    ok: problems.length === 0 && whole,
    kills: kills.length,
    lost: count("lost"),
    lockedOut: count("locked out"),
    unknown: count("unknown"),
    seconds: Math.round(ms / 1000),
    servers,
    table,
    never,
    problems,
    unreachable,
  };
}

/** The summary as text. */
export function summaryLines(summary: Summary): string[] {
  const { table, servers, never, problems } = summary;
  const row = (name: string, cells: readonly string[]) =>
    `${name.padEnd(30)}${cells.map((cell) => cell.padStart(10)).join("")}`;
  const reasons = table.flatMap(({ failpoint, kills }) =>
    adapters.flatMap((adapter) => {
      const reason = kills[adapter] === null ? neverReason(failpoint, adapter) : null;
      return reason === null ? [] : [`${failpoint} with ${adapter}: ${reason}`];
    }),
  );
  return [
    ...adapters.map((adapter) => `${adapter.padEnd(11)}${servers[adapter] ?? "not run"}`),
    "",
    row("killed at", adapters),
    ...table.map(({ failpoint, kills }) =>
      row(
        failpoint,
        adapters.map((adapter) => String(kills[adapter] ?? "-")),
      ),
    ),
    "",
    ...[...new Set(reasons)].map((reason) => `not met: ${reason}`),
    ...Object.entries(summary.unreachable).map(([name, reason]) => `not met: ${name}: ${reason}`),
    ...(never.length === 0 ? [] : [`without a kill: ${never.length} pairs${never.length > 12 ? "" : `: ${never.join(", ")}`}`]),
    ...problems,
    "",
    "durability itself is not shown by kills: test/faults/sync.test.ts sees the fdatasync between commit and acknowledgement,",
    "and catches synchronous=OFF",
    `${summary.kills} kills: lost ${summary.lost}, locked out ${summary.lockedOut}, unknown ${summary.unknown}; ${summary.seconds} s`,
  ];
}
