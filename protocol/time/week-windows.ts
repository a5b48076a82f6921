import type { TimeInterval } from "./interval.ts";
import { type LocalClock, localClock } from "./local-time.ts";

/** A maintenance window that comes every week, in the device's local time. It may reach over midnight and over the week's end. */
export interface WeekWindow {
  /** The days on which it begins: bit 0 = Monday … bit 6 = Sunday. */
  readonly days: number;
  /** Minutes since local midnight, 0 to 1439. */
  readonly startMinute: number;
  /** Its length on the wall clock, 1 to 10,080. */
  readonly minutes: number;
}

/** A time in which rotations may begin, milliseconds since 1970; the end is no part of it. */
export interface Opening {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Whether it is open now. `clock-unknown` says that the time, or the time zone, is not known well enough to tell. */
export type Openness =
  /** `leftMs` is what is surely left of it, `sinceMs` how long it may have been open at most; both without end where no window is set. */
  | { readonly kind: "open"; readonly leftMs: number; readonly sinceMs: number }
  /** `opensInMs` is counted from the earliest that it may be now. */
  | { readonly kind: "closed"; readonly opensInMs: number }
  | { readonly kind: "clock-unknown" };

const dayMs = 86_400_000;
const minuteMs = 60_000;
/** The longest window, and a day for the zone's offset. */
const daysBefore = 8;
const daysAfter = 9;

/** A device's windows. What it worked out for one day is kept, so that asking again costs little. */
export class WeekCalendar {
  readonly #windows: readonly WeekWindow[];
  readonly #clock: LocalClock | null;
  #known: { readonly day: number; readonly openings: readonly Opening[] } | null = null;

  constructor(windows: readonly WeekWindow[], timeZone: string) {
    this.#windows = windows;
    this.#clock = windows.length === 0 ? null : localClock(timeZone);
  }

  /** Judges a moment of which only an interval is known: it must lie inside as a whole, or the machine's own clock decides. */
  judge(time: TimeInterval): Openness {
    if (this.#windows.length === 0)
      return { kind: "open", leftMs: Number.POSITIVE_INFINITY, sinceMs: Number.POSITIVE_INFINITY };
    if (this.#clock === null) return { kind: "clock-unknown" };
    const { loMs, hiMs, probableMs } = time;
    if (hiMs !== null) {
      const openings = this.openings(loMs);
      const around = openings.find(({ fromMs, toMs }) => fromMs <= loMs && hiMs < toMs);
      if (around !== undefined) return { kind: "open", leftMs: around.toMs - hiMs, sinceMs: hiMs - around.fromMs };
      const next = openings.find(({ toMs }) => toMs > loMs);
      if (next === undefined) return { kind: "closed", opensInMs: daysAfter * dayMs };
      if (next.fromMs > hiMs) return { kind: "closed", opensInMs: next.fromMs - loMs };
    }
    return probableMs === null ? { kind: "clock-unknown" } : this.#judgeMoment(probableMs);
  }

  /** The openings from a week before `aroundMs` to a week after, in order; what overlaps or touches is one. */
  openings(aroundMs: number): readonly Opening[] {
    const day = Math.floor(aroundMs / dayMs);
    if (this.#clock === null) return [];
    if (this.#known?.day !== day) this.#known = { day, openings: merged(openingsAround(this.#windows, this.#clock, day)) };
    return this.#known.openings;
  }

  #judgeMoment(nowMs: number): Openness {
    const next = this.openings(nowMs).find(({ toMs }) => toMs > nowMs);
    if (next === undefined) return { kind: "closed", opensInMs: daysAfter * dayMs };
    if (next.fromMs > nowMs) return { kind: "closed", opensInMs: next.fromMs - nowMs };
    return { kind: "open", leftMs: next.toMs - nowMs, sinceMs: nowMs - next.fromMs };
  }
}

/** True where this machine's zone data knows the time zone. */
export function isTimeZone(name: string): boolean {
  return localClock(name) !== null;
}

function openingsAround(windows: readonly WeekWindow[], clock: LocalClock, day: number): Opening[] {
  const found: Opening[] = [];
  for (let each = day - daysBefore; each <= day + daysAfter; each += 1) {
    // 1970-01-01 was a Thursday.
    const weekday = (((each + 3) % 7) + 7) % 7;
    for (const { days, startMinute, minutes } of windows) {
      if (((days >> weekday) & 1) === 0) continue;
      const start = each * dayMs + startMinute * minuteMs;
      const opening = { fromMs: clock.firstAt(start), toMs: clock.firstAt(start + minutes * minuteMs) };
      if (opening.fromMs < opening.toMs) found.push(opening);
    }
  }
  return found;
}

function merged(openings: readonly Opening[]): Opening[] {
  const all: Opening[] = [];
  for (const opening of openings.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = all.at(-1);
    if (last === undefined || opening.fromMs > last.toMs) all.push(opening);
    else all[all.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, opening.toMs) };
  }
  return all;
}
