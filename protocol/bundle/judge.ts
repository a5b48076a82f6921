import { sameBytes } from "../base/index.ts";
import type { StreamCode } from "./errors.ts";
import type { BundleHeader } from "./header.ts";
import { bundleKind } from "./header-fields.ts";
import { bundleLimits } from "./limits.ts";
import { comparePlace } from "./place.ts";
import type { ReceiverState } from "./receiver-state.ts";

/** Which of the receiver's nonces a header answers: only the current one proves that the sender spoke after we asked. */
export type Answered = "current" | "past" | "none";

/** What is to be done with an item whose signature, recipient and direction hold. */
export type Judgement =
  | { readonly verdict: "apply"; readonly code: null }
  /** Applied before, or behind the head: nothing to do, and the receipt is the same as ever. */
  | { readonly verdict: "duplicate"; readonly code: null }
  /** Ahead of a gap: keep the carrier, see `holdItem`. */
  | { readonly verdict: "hold"; readonly code: null }
  /** `quarantine`: the sender contradicts itself; the node stops following the stream and raises an alarm. */
  | { readonly verdict: "refuse"; readonly code: StreamCode; readonly quarantine: boolean };

/** Judges an item by its place in the stream, before anything of its body is looked at. */
export type Judge = (receiver: ReceiverState, header: BundleHeader, id: Uint8Array) => Judgement;

export const judge: Judge = (receiver, header, id) => {
  const place = { epoch: header.vaultEpoch, seq: header.seq };
  const known = [...receiver.recent, ...receiver.held].find((item) => comparePlace(item, place) === 0);
  if (known !== undefined && !sameBytes(known.id, id)) return contradiction("STREAM_FORK");
  if (receiver.recent.some((item) => item === known)) return duplicate;
  if (place.epoch < receiver.epoch) return refuse("STREAM_EPOCH_DOWN");
  if (receiver.head !== null && comparePlace(place, receiver.head) <= 0) return duplicate;
  if (header.root.version < receiver.rootVersion) return refuse("STREAM_ROOT_DOWN");
  if (receiver.mode !== "NORMAL") {
    const fresh = header.kind === bundleKind.snapshot && answered(receiver, header) === "current";
    return fresh ? apply : refuse("STREAM_NONCE_REQUIRED");
  }
  if (header.kind === bundleKind.snapshot) return apply;
  return judgeDelta(receiver, header, id);
};

/** A delta above the head of a receiver in NORMAL. */
function judgeDelta(receiver: ReceiverState, header: BundleHeader, id: Uint8Array): Judgement {
  const { head, held } = receiver;
  if (head !== null && header.vaultEpoch === head.epoch && header.seq === head.seq + 1)
    return sameBytes(header.prev, head.id) ? apply : contradiction("STREAM_PREV_MISMATCH");
  if (held.some((item) => sameBytes(item.id, id))) return hold;
  const bytes = held.reduce((sum, item) => sum + item.bytes, header.ciphertextLength);
  const room = held.length < bundleLimits.heldItems && bytes <= bundleLimits.heldBytes;
  return room ? hold : refuse("STREAM_HELD_FULL");
}

/** Which own nonce the header answers. An answer to the current one also bounds the time from above. */
export function answered(receiver: ReceiverState, header: BundleHeader): Answered {
  const answers = (nonce: Uint8Array) => header.answers.some((answer) => sameBytes(answer, nonce));
  if (answers(receiver.nonce)) return "current";
  return receiver.pastNonces.some(answers) ? "past" : "none";
}

const apply: Judgement = { verdict: "apply", code: null };
const duplicate: Judgement = { verdict: "duplicate", code: null };
const hold: Judgement = { verdict: "hold", code: null };

function refuse(code: StreamCode): Judgement {
  return { verdict: "refuse", code, quarantine: false };
}

function contradiction(code: StreamCode): Judgement {
  return { verdict: "refuse", code, quarantine: true };
}
