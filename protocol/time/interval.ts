import { ClockError } from "./errors.ts";
import { advance, type ClockSample, type TimeState } from "./time-state.ts";

/** The time now, milliseconds since 1970. */
export interface TimeInterval {
  readonly loMs: number;
  /** Null = open. */
  readonly hiMs: number | null;
  /** What the machine's own clock says, where it may be believed: enough for windows, not for leases. */
  readonly probableMs: number | null;
}

/** How far the machine's own clock is believed. */
export interface WallPolicy {
  /** Believed while it is within [lo, lo + gapMs]. */
  readonly gapMs: number;
  /** Configured as trusted: believed wherever it is not below lo. */
  readonly trusted: boolean;
}

/** The interval at `clock`. */
export function readTime(state: TimeState, clock: ClockSample, wall: WallPolicy): TimeInterval {
  const { loMs, hiMs } = advance(state, clock);
  const inside =
    clock.wallMs >= loMs && (hiMs === null || clock.wallMs <= hiMs) && (wall.trusted || clock.wallMs <= loMs + wall.gapMs);
  return { loMs, hiMs, probableMs: inside ? clock.wallMs : null };
}

/** When an order, grant or lease counts; whole seconds since 1970, both ends included. */
export interface UseWindow {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** `clock-unknown` is about the clock only: the thing itself may be perfectly authorised. */
export type WindowAnswer = "yes" | "not-yet" | "expired" | "clock-unknown";

/**
 * Whether the window is open. With `probable` the machine's own clock decides where the interval cannot: for rotation windows. Leases
 * ask without it, and one whose answer is not `yes` is revoked.
 */
export function mayUse(time: TimeInterval, window: UseWindow, probable: boolean): WindowAnswer {
  const from = window.notBefore * 1000;
  const to = window.notAfter * 1000 + 999;
  const { loMs, hiMs, probableMs } = time;
  if (loMs > to) return "expired";
  if (hiMs !== null && hiMs < from) return "not-yet";
  if (loMs >= from && hiMs !== null && hiMs <= to) return "yes";
  if (!probable || probableMs === null) return "clock-unknown";
  if (probableMs < from) return "not-yet";
  return probableMs > to ? "expired" : "yes";
}

/** Throws CLOCK_NOT_YET, CLOCK_EXPIRED or CLOCK_UNKNOWN unless {@link mayUse} says yes. */
export function requireUse(time: TimeInterval, window: UseWindow, probable: boolean): void {
  switch (mayUse(time, window, probable)) {
    case "yes":
      return;
    case "not-yet":
      throw new ClockError("CLOCK_NOT_YET", "the clock has not reached the window");
    case "expired":
      throw new ClockError("CLOCK_EXPIRED", "the clock is past the window");
    case "clock-unknown":
      throw new ClockError("CLOCK_UNKNOWN", "the clock is not known well enough to judge the window");
  }
}
