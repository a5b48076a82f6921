/** The attempt budget as the device's model states it. */
export interface AttemptRules {
  /** Logins of one window, at least two below the device's lockout. */
  readonly limit: number;
  /** Milliseconds after the last attempt until all are forgiven. */
  readonly windowMs: number;
  /** Whether the device ever locks: only then do an edge's own attempts count. */
  readonly locks: boolean;
}

/** What was spent so far, and when that began to be forgiven. */
export interface Attempts {
  readonly spent: number;
  readonly lastAtMs: number;
}

interface Moment {
  readonly nowMs: number;
  /** Since when the edge, as far as anybody can say, has tried nothing. */
  readonly edgeOffSinceMs: number;
}

/**
 * What is left of the budget now: milliseconds to wait before the next login, 0 where one may leave. Where the edge may have tried
 * after what is known, its window counts as spent. A clock that was set back forgives nothing.
 */
export function budgetNow(
  known: Attempts | null,
  rules: AttemptRules,
  { nowMs, edgeOffSinceMs }: Moment,
): { readonly spent: number; readonly waitMs: number } {
  const edgeLeftMs = rules.locks ? left(edgeOffSinceMs, rules.windowMs, nowMs) : 0;
  const leftMs = known === null || known.spent === 0 ? 0 : left(known.lastAtMs, rules.windowMs, nowMs);
  const spent = known === null || leftMs === 0 ? 0 : known.spent;
  const waitMs = Math.max(edgeLeftMs, spent >= rules.limit ? leftMs : 0);
  return { spent, waitMs };
}

function left(sinceMs: number, windowMs: number, nowMs: number): number {
  return Math.max(0, windowMs - Math.max(0, nowMs - sinceMs));
}
