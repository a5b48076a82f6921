/** A clock on a wall: turns moments into what it shows, and back. Times of the wall are milliseconds as if it stood in UTC. */
export interface LocalClock {
  /** What the wall shows at `utcMs`, to the second. */
  wallAt(utcMs: number): number;
  /**
   * The first moment at which the wall shows `wallMs` or later: where it is put forward over that time, the moment of the change;
   * where it shows the time twice, the first of the two.
   */
  firstAt(wallMs: number): number;
}

const dayMs = 86_400_000;

/** The clock of an IANA time zone, by the zone data of this machine; null where that has no such zone. */
export function localClock(timeZone: string): LocalClock | null {
  const format = formatOf(timeZone);
  return format === null ? null : new ZoneClock(format);
}

function formatOf(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

class ZoneClock implements LocalClock {
  readonly #format: Intl.DateTimeFormat;

  constructor(format: Intl.DateTimeFormat) {
    this.#format = format;
  }

  wallAt(utcMs: number): number {
    const parts = new Map(this.#format.formatToParts(utcMs).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  }

  firstAt(wallMs: number): number {
    const offsets = [wallMs - dayMs, wallMs + dayMs].map((at) => this.wallAt(at) - at);
    const exact = offsets.map((offset) => wallMs - offset).filter((at) => this.wallAt(at) === wallMs);
    if (exact.length > 0) return Math.min(...exact);
    // The wall never shows it: somewhere between these two moments it is put forward.
    let before = wallMs - Math.max(...offsets);
    let after = wallMs - Math.min(...offsets);
    while (after - before > 1_000) {
      const middle = before + Math.floor((after - before) / 2_000) * 1_000;
      if (this.wallAt(middle) < wallMs) before = middle;
      else after = middle;
    }
    return after;
  }
}
