import type { NoticeState } from "../../protocol/notice/index.ts";
import { isResting, type RotationEffect, type RotationState } from "../../protocol/rotation/index.ts";

/** What an arrow means to who serves the account elsewhere: the value's ref, and how it stands; null where it means nothing. */
export function noticeOf(
  next: RotationState,
  effects: readonly RotationEffect[],
): { readonly ref: number; readonly state: NoticeState } | null {
  const report = effects.findLast((effect) => effect.kind === "report");
  if (report?.report === "reverted") return { ref: report.ref, state: "reverted" };
  if (report?.report === "verified" || report?.report === "proven") return { ref: report.ref, state: "verified" };
  // Refused by the device's policy, and what was live before was proven to be live still.
  if (report?.report === "rejected" && isResting(next)) return { ref: next.current, state: "verified" };
  const sent = effects.find((effect) => effect.kind === "leaf" && effect.action === "rotation.sent");
  return sent?.kind === "leaf" ? { ref: sent.ref, state: "sent" } : null;
}
