import type { Seams } from "../../agent/seams/index.ts";
import type { Random } from "../../protocol/base/index.ts";
import type { Account } from "./account.ts";
import { leastBackOffMs, mostBackOffMs } from "./limits.ts";

/** Puts off the next try of an account after a failure; after anything else nothing is put off. */
export function backOff(
  account: Pick<Account, "failures" | "retryAtMs">,
  { clock, random }: Pick<Seams, "clock" | "random">,
  failed: boolean,
): void {
  if (failed) account.failures += 1;
  account.retryAtMs = failed ? clock.sinceBootMs() + backOffMs(account.failures, random) : 0;
}

/** Milliseconds to wait after `failures` in a row: half of a doubling ceiling, and up to as much again by chance. */
function backOffMs(failures: number, random: Random): number {
  const ceiling = Math.min(mostBackOffMs, leastBackOffMs * 2 ** Math.min(failures, 16));
  const [a = 0, b = 0] = random(2);
  return Math.round(ceiling / 2 + (ceiling / 2) * (((a << 8) | b) / 0x1_0000));
}
