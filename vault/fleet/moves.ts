import type { FleetCode } from "./codes.ts";

/** How a member stands, read off its order. */
export type MemberState = "waiting" | "ordered" | "done" | "failed" | "refused" | "expired" | "withdrawn";

export interface Member {
  readonly place: number;
  readonly path: string;
  readonly zone: string;
  readonly canary: boolean;
  readonly state: MemberState;
  /** Why it is not done, or null. */
  readonly code: string | null;
}

/** What a running fleet rotation does next. */
export type Move =
  | { readonly kind: "order"; readonly members: readonly Member[] }
  | { readonly kind: "wait" }
  | { readonly kind: "stop"; readonly code: FleetCode; readonly path: string }
  | { readonly kind: "finish" };

/**
 * Canaries first, then everything else with at most `parallel` at once in a zone. The first account whose password is not known any
 * more stops it, and so does a canary that does not come through, for whatever reason.
 */
export function nextMove(members: readonly Member[], parallel: number): Move {
  const lost = members.find(({ code }) => code === "ROTATION_UNKNOWN");
  if (lost !== undefined) return { kind: "stop", code: "FLEET_MEMBER_UNKNOWN", path: lost.path };
  const canaries = members.filter(({ canary }) => canary);
  const dead = canaries.find(({ state }) => hasEnded(state) && state !== "done");
  if (dead !== undefined) return { kind: "stop", code: "FLEET_CANARY_FAILED", path: dead.path };
  const proven = canaries.every(({ state }) => state === "done");
  const due = firstOfEachZone(proven ? members : canaries, parallel);
  if (due.length > 0) return { kind: "order", members: due };
  return members.every(({ state }) => hasEnded(state)) ? { kind: "finish" } : { kind: "wait" };
}

/** True where nothing more is heard of it unless it is ordered again. */
export function hasEnded(state: MemberState): boolean {
  return state !== "waiting" && state !== "ordered";
}

function firstOfEachZone(members: readonly Member[], parallel: number): Member[] {
  const under = new Map<string, number>();
  for (const { zone, state } of members) if (state === "ordered") under.set(zone, (under.get(zone) ?? 0) + 1);
  return members.filter(({ zone, state }) => {
    const busy = under.get(zone) ?? 0;
    if (state !== "waiting" || busy >= parallel) return false;
    under.set(zone, busy + 1);
    return true;
  });
}
