import type { Clock } from "../../agent/seams/index.ts";
import { isResting } from "../../protocol/rotation/index.ts";
import type { Openness } from "../../protocol/time/index.ts";
import type { Account } from "./account.ts";
import { breakGlassGapMs } from "./limits.ts";
import { elapsedMs } from "./moment.ts";

/** A window that is open for so long is none: what changed a week ago was in another one. */
const longestWindowMs = 7 * 86_400_000;

/**
 * False where this account and the break-glass one of its device would change in the same window, or where one of the two is not
 * finished: whatever comes of it, one way in is left. It is counted by running time, so a restart of the machine makes it longer.
 */
export function isBreakGlassFree(account: Account, neighbours: readonly Account[], openness: Openness, clock: Clock): boolean {
  const own = account.content?.breakGlass === true;
  const others = neighbours.filter(({ content }) => own || content?.breakGlass === true);
  const gapMs = openness.kind === "open" && openness.sinceMs < longestWindowMs ? openness.sinceMs : breakGlassGapMs;
  return others.every(({ busy, record: { state, lastPush } }) => {
    if (busy || state.pending !== null || !isResting(state)) return false;
    return lastPush === null || elapsedMs(lastPush, clock) > gapMs;
  });
}
