import type { AuditEvent } from "../../protocol/audit/index.ts";
import type { Fact } from "../../protocol/bundle/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import type { RotationEffect, RotationState } from "../../protocol/rotation/index.ts";
import type { Openness } from "../../protocol/time/index.ts";
import { type Account, nameOf } from "./account.ts";
import type { Books } from "./commit.ts";

const code = "ROTATION_PAST_WINDOW";

/** Leaf and fact that a rotation is being finished after its window has closed: once for each value. */
export interface PastWindow {
  readonly events: readonly AuditEvent[];
  readonly facts: readonly Fact[];
}

/** True where `effects` go on with a change that has left, although the window is closed. */
export function isPastWindow(
  account: Account,
  state: RotationState,
  effects: readonly RotationEffect[],
  openness: Openness,
): boolean {
  const { phase, current, next, pushes } = state;
  // What was found live and is only saved is no rotation.
  if (next === current) return false;
  const finishing = phase === "NEW-OK" || phase === "SAVED" || (phase === "PROBE" && next !== null && pushes > 0);
  return (
    openness.kind === "closed" && finishing && next !== account.pastWindow && effects.some((effect) => effect.kind === "device")
  );
}

/** What is recorded of it. */
export function pastWindowNews(account: Account, books: Books): PastWindow {
  const event: AuditEvent = {
    action: "alarm.raise",
    actor: { kind: "node", id: books.self },
    subject: { kind: "account", id: nameOf(account) },
    outcome: "failed",
    code,
    details: { reason: code },
  };
  return { events: [event], facts: [encodeFact({ kind: "alarm", code, subject: nameOf(account), at: books.time() })] };
}
