import type { RotationEffect, RotationEvent } from "../../protocol/rotation/index.ts";
import { recheckAfterS, recheckRetryS } from "./limits.ts";

interface Step {
  readonly event: RotationEvent;
  readonly effects: readonly RotationEffect[];
  /** Another value is served from now on. */
  readonly served: boolean;
  /** Seconds since 1970. */
  readonly nowS: number;
}

/**
 * Still true tomorrow? When a value that was verified is proven once more by a login, seconds since 1970; null where it is not: a device
 * that restarted meanwhile, or whose configuration was put back, has an older one then, which the probe finds.
 */
export function recheckAtAfter(before: number | null, { event, effects, served, nowS }: Step): number | null {
  const reports = effects.flatMap((effect) => (effect.kind === "report" ? [effect.report] : []));
  if (reports.includes("verified")) return nowS + recheckAfterS;
  if (served || before === null) return null;
  if (nowS < before) return before;
  if (reports.includes("proven")) return null;
  const unanswered = event.kind === "answer" && (event.outcome === "AMBIGUOUS" || event.outcome === "NOT_SENT");
  return unanswered ? nowS + recheckRetryS : before;
}
