import { assert, sameBytes } from "../base/index.ts";
import { StreamError } from "./errors.ts";
import type { BundleHeader, HeaderContext } from "./header.ts";
import { type BundleKind, bundleKind, type StreamHead } from "./header-fields.ts";
import { bundleLimits } from "./limits.ts";
import { comparePlace } from "./place.ts";
import { acknowledgement, type ReceiverState } from "./receiver-state.ts";

/** An issued item that its recipient has not acknowledged. */
export interface SentItem extends StreamHead {
  readonly kind: BundleKind;
}

/** The sending end of one stream. A value; stored in the transaction that issues. */
export interface SenderState {
  readonly epoch: number;
  /** Number of the next item. */
  readonly nextSeq: number;
  /** 32 bytes: id of the last issued item of this epoch, or zeros. */
  readonly prev: Uint8Array;
  /** Newest item that the recipient acknowledged in this epoch. */
  readonly acknowledged: StreamHead | null;
  /** Oldest first; at most 1,024. */
  readonly unacknowledged: readonly SentItem[];
  /** The recipient's nonces, newest first, at most 8: what the next item answers. */
  readonly heardNonces: readonly Uint8Array[];
  /** True where the recipient asked for a snapshot that was not issued yet. */
  readonly snapshotWanted: boolean;
  /** The newest nonce that an issued snapshot answered; the same wish heard again is not a new one. */
  readonly answeredNonce: Uint8Array | null;
}

const nothing = new Uint8Array(32);

/** A stream that issued nothing yet. `heardNonces`: the one of the recipient's join request, for a vault's new node. */
export function startSender(epoch: number, heardNonces: readonly Uint8Array[] = []): SenderState {
  return {
    epoch,
    nextSeq: 1,
    prev: nothing,
    acknowledged: null,
    unacknowledged: [],
    heardNonces,
    snapshotWanted: false,
    answeredNonce: null,
  };
}

/** Starts again in a higher vault epoch, as after a restore: what was issued in the old one is void. */
export function raiseSenderEpoch(sender: SenderState, epoch: number): SenderState {
  assert(epoch > sender.epoch, "a vault epoch only rises");
  return startSender(epoch, sender.heardNonces);
}

/** True where the next item must be a snapshot: the first of an epoch, or asked for. */
export function snapshotDue(sender: SenderState): boolean {
  return sender.nextSeq === 1 || sender.snapshotWanted;
}

/** Header fields that come from the two streams between the same nodes: ours out (`sender`), theirs in (`receiver`). */
export function streamFields(
  sender: SenderState,
  receiver: ReceiverState,
): Pick<HeaderContext, "vaultEpoch" | "seq" | "prev" | "nonce" | "answers" | "ack"> {
  return {
    vaultEpoch: sender.epoch,
    seq: sender.nextSeq,
    prev: sender.prev,
    nonce: receiver.nonce,
    answers: sender.heardNonces,
    ack: acknowledgement(receiver),
  };
}

/**
 * The state after an item was issued. Throws STREAM_OUTBOX_FULL where too many are unacknowledged and none of them can be folded;
 * a snapshot then frees the way, since what lies behind it can be folded.
 */
export function itemIssued(sender: SenderState, id: Uint8Array, kind: BundleKind): SenderState {
  assert(kind === bundleKind.snapshot || sender.nextSeq > 1, "a stream begins with a snapshot");
  const snapshot = kind === bundleKind.snapshot;
  const item = { epoch: sender.epoch, seq: sender.nextSeq, id, kind };
  const unacknowledged = [...sender.unacknowledged, item];
  if (unacknowledged.length > bundleLimits.unacknowledged) {
    if (foldable({ ...sender, unacknowledged }).length === 0)
      throw new StreamError("STREAM_OUTBOX_FULL", `${sender.unacknowledged.length} items wait for an acknowledgement`);
    unacknowledged.shift();
  }
  return {
    ...sender,
    nextSeq: sender.nextSeq + 1,
    prev: id,
    unacknowledged,
    snapshotWanted: sender.snapshotWanted && !snapshot,
    answeredNonce: snapshot ? (sender.heardNonces[0] ?? null) : sender.answeredNonce,
  };
}

/** Unacknowledged items that lie behind a snapshot: their carriers need not be kept or sent any more. */
export function foldable(sender: SenderState): readonly SentItem[] {
  const newest = sender.unacknowledged.findLastIndex((item) => item.kind === bundleKind.snapshot);
  return newest <= 0 ? [] : sender.unacknowledged.slice(0, newest);
}

/**
 * What the recipient's acknowledgement means. `advanced`: more was applied. `same`: nothing new. `asks`: it wants a snapshot.
 * `behind`: it holds less than it once acknowledged, so its store went back. `ahead`: it applied what this sender never issued, so
 * ours did. `fork`: it applied another item under one of our numbers. `other-epoch`: it has not heard of our epoch yet.
 */
export type AckOutcome = "advanced" | "same" | "asks" | "behind" | "ahead" | "fork" | "other-epoch";

export interface Heard {
  readonly sender: SenderState;
  readonly outcome: AckOutcome;
  /** Items that the acknowledgement covers: their carriers can go. */
  readonly settled: readonly SentItem[];
}

/**
 * Takes nonce and acknowledgement from a header of the recipient, in the transaction that applies that header's own item. Never from a
 * repeated item: what it acknowledges was true once, and would look as if the recipient's store had gone back.
 */
export function headerHeard(before: SenderState, header: BundleHeader): Heard {
  const others = before.heardNonces.filter((nonce) => !sameBytes(nonce, header.nonce));
  const sender = { ...before, heardNonces: [header.nonce, ...others].slice(0, bundleLimits.answers) };
  const outcome = outcomeOf(sender, header.ack);
  if (outcome === "advanced" && header.ack !== null) {
    const ack = header.ack;
    const settled = sender.unacknowledged.filter((item) => comparePlace(item, ack) <= 0);
    const unacknowledged = sender.unacknowledged.slice(settled.length);
    return { sender: { ...sender, acknowledged: ack, unacknowledged }, outcome, settled };
  }
  const wish = outcome === "asks" || outcome === "behind";
  const isNew = before.answeredNonce === null || !sameBytes(before.answeredNonce, header.nonce);
  return { sender: { ...sender, snapshotWanted: sender.snapshotWanted || (wish && isNew) }, outcome, settled: [] };
}

function outcomeOf(sender: SenderState, ack: StreamHead | null): AckOutcome {
  if (ack === null) return "asks";
  if (ack.epoch < sender.epoch) return "other-epoch";
  if (ack.epoch > sender.epoch || ack.seq >= sender.nextSeq) return "ahead";
  const { acknowledged } = sender;
  const order = acknowledged === null ? 1 : comparePlace(ack, acknowledged);
  if (order < 0) return "behind";
  if (order === 0) return sameBytes(ack.id, (acknowledged as StreamHead).id) ? "same" : "fork";
  const sent = sender.unacknowledged.find((item) => item.seq === ack.seq);
  // Not found: folded so long ago that its id is forgotten; a later acknowledgement will name one that is known.
  if (sent === undefined) return "same";
  return sameBytes(sent.id, ack.id) ? "advanced" : "fork";
}
