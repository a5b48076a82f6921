import type { Random } from "../../protocol/base/index.ts";
import { leastBackOffMs, mostBackOffMs } from "./limits.ts";

/** Milliseconds to wait after `failures` in a row: half of a doubling ceiling, and up to as much again by chance. */
export function backOffMs(failures: number, random: Random): number {
  const ceiling = Math.min(mostBackOffMs, leastBackOffMs * 2 ** Math.min(failures, 16));
  const [a = 0, b = 0] = random(2);
  return Math.round(ceiling / 2 + (ceiling / 2) * (((a << 8) | b) / 0x1_0000));
}
