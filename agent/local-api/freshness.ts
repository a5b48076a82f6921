import type { Freshness } from "../../protocol/content/index.ts";
import { ClockError, mayUse, type TimeInterval } from "../../protocol/time/index.ts";
import { ApiError } from "./errors.ts";

/** `stale` is served as ever, `warn` with a warning; both say so. */
export type Judged = "fresh" | "stale" | "warn";

/**
 * What the rules say about a value whose vault was last heard at `heardAt` (ISO 8601; null for never). The ttl takes no clock's word but the
 * signed one: where that cannot exclude its end, nothing is served. Throws API_STALE, API_EXPIRED and CLOCK_UNKNOWN; erases nothing.
 */
export function judgeFreshness(rule: Freshness, heardAt: string | null, time: TimeInterval): Judged {
  const heardMs = heardAt === null ? Number.NEGATIVE_INFINITY : Date.parse(heardAt);
  if (rule.ttlS !== null) requireTtl(rule.ttlS, heardMs, time);
  const nowMs = time.probableMs ?? time.loMs;
  if (rule.staleAfterS === null || nowMs - heardMs <= rule.staleAfterS * 1000) return "fresh";
  if (rule.whenStale === "serve") return "stale";
  if (rule.whenStale === "warn") return "warn";
  throw new ApiError("API_STALE", "the vault was not heard for longer than this value may be served", { hint });
}

const hint = "It is kept, and served again once the vault is heard: look at this node's tunnel, or bring a stick.";

function requireTtl(ttlS: number, heardMs: number, time: TimeInterval): void {
  const heardS = Math.floor(heardMs / 1000);
  const answer = Number.isFinite(heardS) ? mayUse(time, { notBefore: heardS, notAfter: heardS + ttlS }, false) : "expired";
  if (answer === "yes") return;
  if (answer === "expired")
    throw new ApiError("API_EXPIRED", "the vault was not heard within this value's strict limit", { hint });
  throw new ClockError("CLOCK_UNKNOWN", "the clock cannot tell whether this value's strict limit has passed");
}
