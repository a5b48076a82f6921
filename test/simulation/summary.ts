import { tricks } from "./device-kind.ts";
import { failpointsOf } from "./focus.ts";
import type { SeedResult } from "./run-seed.ts";

/** What a run of enough seeds has to have seen, faults and what came of them: what never happened was not looked at. */
export const everyFault: readonly string[] = [
  ...["vault", "gateway", "edge"].flatMap((node) => [
    `crash: ${node}`,
    `power cut: ${node}`,
    ...["crash before", "crash after", "no space", "io, lost", "io, kept"].map((kind) => `disk: ${kind}: ${node}`),
  ]),
  ...[...failpointsOf("edge"), ...failpointsOf("vault")].map((failpoint) => `crash: ${failpoint}`),
  ...["cut", "one way", "black hole", "slow"].map((kind) => `network: ${kind}`),
  ...["duplicate", "swap", "flip"].map((kind) => `message: ${kind}`),
  "disk: no space for a rotation",
  "disk: loses what was not synced",
  "wall clock: jumps",
  ...[...tricks, "refused value"].map((trick) => `device: ${trick}`),
  ...["reboots", "loses what was not saved", "reset", "restored from a backup"].map((kind) => `device: ${kind}`),
  ...["verified", "proven", "rejected", "reverted", "unknown"].map((outcome) => `rotation: ${outcome}`),
  "person: types a wrong password",
  "person: changes a device",
  ...["hold a device", "release a device", "permit rotations", "lease an account"].map((act) => `act: ${act}`),
  "plant: built anew",
];

/** Seeds of a run after which every fault must have happened. */
const seedsForAll = 200;

/** What came of many seeds. */
export class Summary {
  readonly failed: number[] = [];
  seeds = 0;
  readonly #began = performance.now();
  readonly #fired = new Map<string, number>();
  #steps = 0;
  #virtualMs = 0;

  add({ seed, problem, fired, steps, virtualMs }: SeedResult): void {
    this.seeds += 1;
    this.#steps += steps;
    this.#virtualMs += virtualMs;
    for (const [fault, count] of fired) this.#fired.set(fault, (this.#fired.get(fault) ?? 0) + count);
    if (problem !== null) this.failed.push(seed);
  }

  get seedsPerSecond(): string {
    return (this.seeds / ((performance.now() - this.#began) / 1000)).toFixed(1);
  }

  /** Faults that never happened. */
  get missed(): string[] {
    return everyFault.filter((fault) => !this.#fired.has(fault));
  }

  good(asked: number): boolean {
    return this.failed.length === 0 && this.seeds === asked && (asked < seedsForAll || this.missed.length === 0);
  }

  lines(): string[] {
    const counts = [...new Set([...everyFault, ...this.#fired.keys()])].sort();
    const days = (this.#virtualMs / 86_400_000).toFixed(1);
    return [
      ...counts.map((fault) => `${String(this.#fired.get(fault) ?? 0).padStart(8)}  ${fault}`),
      `${this.seeds} seeds, ${this.#steps} steps, ${days} virtual days, ${this.seedsPerSecond} seeds a second: ${this.failed.length} failed`,
      this.missed.length === 0 ? "every fault happened" : `never happened: ${this.missed.join(", ")}`,
    ];
  }
}
