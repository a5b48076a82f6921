import type { Clock } from "../../agent/seams/index.ts";

/** A moment by the clock that runs through suspend; of another boot only its being past is known. */
export interface Moment {
  readonly bootId: string;
  readonly sinceBootMs: number;
}

/** Now. */
export function momentOf(clock: Clock): Moment {
  return { bootId: clock.bootId(), sinceBootMs: Math.floor(clock.sinceBootMs()) };
}

/** Milliseconds that have passed since `moment` at least; since the boot where it lies in an earlier one. */
export function elapsedMs(moment: Moment, clock: Clock): number {
  const now = momentOf(clock);
  return moment.bootId === now.bootId ? Math.max(0, now.sinceBootMs - moment.sinceBootMs) : now.sinceBootMs;
}
