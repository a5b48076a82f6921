import type { HealthCheck } from "../local-api/index.ts";
import type { Metrics } from "../metrics/index.ts";
import type { TunnelStatus } from "../tunnel/index.ts";

/** The connection to the next node on the way to the vault. */
export interface Hop {
  /** Who is dialled. */
  readonly to: "gateway" | "vault";
  /** Null where nobody is dialled: only media go to and fro. */
  status(): TunnelStatus | null;
  /** Since-boot milliseconds. */
  nowMs(): number;
}

/** How long the next hop may be away before health is red, seconds: longer than a restart of it, and than any back-off. */
const graceS = 300;

/** A gauge's seconds since something that never happened. */
const never = -1;

/** The hop as `status` shows it. */
export function hopStatus({ status, nowMs }: Hop) {
  const now = status();
  if (now === null) return { state: "none" };
  if (now.state === "closed") return now;
  if (now.state === "open") {
    const { remote, connectedSinceMs, lastHeardMs, session } = now.facts;
    return { state: now.state, remote, connectedSinceMs, lastHeardMs, silentS: secondsSince(lastHeardMs, nowMs()), session };
  }
  const { state, lastCode, lastHint, sinceMs, lastHeardMs } = now;
  const silentS = lastHeardMs === null ? null : secondsSince(lastHeardMs, nowMs());
  return { state, lastCode, hint: lastHint, forS: secondsSince(sinceMs, nowMs()), silentS };
}

/** Red where the next hop has been away for too long; says why and since when. Empty where nobody is dialled. */
export function hopCheck(hop: Hop): HealthCheck[] {
  const now = hop.status();
  if (now === null) return [];
  const { to } = hop;
  if (now.state === "closed") return [{ name: "hop", ok: false, detail: `${to}: closed` }];
  if (now.state === "open") {
    const silentS = secondsSince(now.facts.lastHeardMs, hop.nowMs());
    return [{ name: "hop", ok: true, detail: `${to}: heard ${silentS} s ago` }];
  }
  const forS = secondsSince(now.sinceMs, hop.nowMs());
  return [{ name: "hop", ok: forS <= graceS, detail: `${to}: away for ${forS} s, ${now.lastCode ?? "dialling"}` }];
}

/** Whether the next hop is there, for how long it has been silent, and for how long the vault behind it. */
export function gaugeHop(metrics: Metrics, hop: Hop, vaultSilentS: () => number | null): void {
  metrics.gauge("hop_up", "1 while the next node on the way to the vault has a session with this one.", () =>
    hop.status()?.state === "open" ? 1 : 0,
  );
  metrics.gauge("hop_silent_seconds", "Since the next node on the way was heard; -1 where it never was.", () => {
    const now = hop.status();
    if (now === null || now.state === "closed") return never;
    const heardMs = now.state === "open" ? now.facts.lastHeardMs : now.lastHeardMs;
    return heardMs === null ? never : secondsSince(heardMs, hop.nowMs());
  });
  metrics.gauge("vault_silent_seconds", "Since the vault's last signed word; -1 where it was never heard.", () => {
    return vaultSilentS() ?? never;
  });
}

function secondsSince(thenMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - thenMs) / 1000));
}
