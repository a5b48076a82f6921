import { sameBytes } from "../../protocol/base/index.ts";
import { type BundleHeader, bundleLimits } from "../../protocol/bundle/index.ts";
import { intervalOf, type NodeParts, sampleOf } from "./node-parts.ts";
import type { NodeDraft } from "./node-records.ts";

type Asking = Pick<NodeDraft, "receiver" | "nonce">;

/** What a header's answers say: whether our current nonce is among them, and when our words are thereby known to have arrived. */
export interface HeardNonce {
  readonly current: boolean;
  /** Milliseconds since 1970; null where each nonce that it answers was answered before. */
  readonly heardAtMs: number | null;
}

/** 16 new random bytes for the receiver to ask with; notes when they were made, and until when the ones before were in use. */
export function draftNonce(parts: NodeParts, draft: NodeDraft): Uint8Array {
  const { bootId, sinceBootMs } = sampleOf(parts.seams.clock);
  const { loMs } = intervalOf(draft.time, parts.seams.clock, parts.wall);
  const { answered, openUntilMs } = draft.nonce;
  const open = answered ? [] : [loMs, ...openUntilMs].slice(0, bundleLimits.pastNonces);
  draft.nonce = { bootId, sinceBootMs, answered: false, openUntilMs: open };
  return parts.seams.random(16);
}

/**
 * Takes the answers of a header that is being applied. Every bundle repeats the newest nonces that the vault has heard, so each counts once, and
 * closes those before it: else a vault that hears nothing any more would still seem to hear us. An answer to a past nonce says no more
 * than that we were heard while it was in use.
 */
export function hearNonce(draft: Asking, header: Pick<BundleHeader, "answers" | "issuedAt">): HeardNonce {
  const names = (nonce: Uint8Array) => header.answers.some((answer) => sameBytes(answer, nonce));
  const { receiver, nonce } = draft;
  const issuedAtMs = header.issuedAt.lo * 1000;
  if (names(receiver.nonce)) {
    const heardAtMs = nonce.answered ? null : issuedAtMs;
    draft.nonce = { ...nonce, answered: true, openUntilMs: [] };
    return { current: true, heardAtMs };
  }
  const index = receiver.pastNonces.findIndex(names);
  const untilMs = index < 0 ? undefined : nonce.openUntilMs[index];
  if (untilMs === undefined) return { current: false, heardAtMs: null };
  draft.nonce = { ...nonce, openUntilMs: nonce.openUntilMs.slice(0, index) };
  return { current: false, heardAtMs: Math.min(issuedAtMs, untilMs) };
}
