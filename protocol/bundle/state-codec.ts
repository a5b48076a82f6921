import {
  asBoolean,
  asBytes,
  asList,
  asTuple,
  asUint,
  decodeTcbor,
  encodeTcbor,
  orNull,
  type Tcbor,
  TcborError,
} from "../base/index.ts";
import { StreamError } from "./errors.ts";
import { type BundleKind, type StreamHead, streamHeadFromTcbor, streamHeadToTcbor } from "./header-fields.ts";
import { bundleLimits } from "./limits.ts";
import { type HeldItem, type ReceiverState, receiverModes } from "./receiver-state.ts";
import type { SenderState, SentItem } from "./sender-state.ts";

const receiverMagic = "tidegate-receiver/1";
const senderMagic = "tidegate-sender/1";

/** Bytes of a receiver's state for a node's store. */
export function encodeReceiver(receiver: ReceiverState): Uint8Array {
  return encodeTcbor([
    receiverMagic,
    receiverModes.indexOf(receiver.mode),
    receiver.epoch,
    receiver.rootVersion,
    streamHeadToTcbor(receiver.head),
    receiver.stateDigest,
    receiver.nonce,
    receiver.pastNonces,
    receiver.recent.map(streamHeadToTcbor),
    receiver.held.map((item) => [item.epoch, item.seq, item.id, item.bytes]),
    receiver.wantsSnapshot,
  ]);
}

/** Inverse of {@link encodeReceiver}. Throws STREAM_STATE_SHAPE. */
export function decodeReceiver(bytes: Uint8Array): ReceiverState {
  return reading(bytes, receiverMagic, 11, (fields) => {
    const [, mode, epoch, rootVersion, head, digest, nonce, past, recent, held, wants] = fields;
    const state: ReceiverState = {
      mode: receiverModes[asUint(mode, "mode", receiverModes.length - 1)] as ReceiverState["mode"],
      epoch: asUint(epoch, "epoch"),
      rootVersion: asUint(rootVersion, "rootVersion"),
      head: streamHeadFromTcbor(head, "head"),
      stateDigest: asBytes(digest, "stateDigest", 32),
      nonce: asBytes(nonce, "nonce", 16),
      pastNonces: asList(past, "pastNonces", bundleLimits.pastNonces).map((one) => asBytes(one, "pastNonces", 16)),
      recent: asList(recent, "recent", bundleLimits.recentIds).map((one) => presentHead(one, "recent")),
      held: asList(held, "held", bundleLimits.heldItems).map(heldFromTcbor),
      wantsSnapshot: asBoolean(wants, "wantsSnapshot"),
    };
    if ((state.head === null) !== (state.mode === "FRESH"))
      throw new TcborError("TCBOR_SHAPE", "head: absent in FRESH, and only there");
    return state;
  });
}

/** Bytes of a sender's state for a node's store. */
export function encodeSender(sender: SenderState): Uint8Array {
  return encodeTcbor([
    senderMagic,
    sender.epoch,
    sender.nextSeq,
    sender.prev,
    streamHeadToTcbor(sender.acknowledged),
    sender.unacknowledged.map((item) => [item.epoch, item.seq, item.id, item.kind]),
    sender.heardNonces,
    sender.snapshotWanted,
    sender.answeredNonce,
  ]);
}

/** Inverse of {@link encodeSender}. Throws STREAM_STATE_SHAPE. */
export function decodeSender(bytes: Uint8Array): SenderState {
  return reading(bytes, senderMagic, 9, (fields) => {
    const [, epoch, nextSeq, prev, acknowledged, unacknowledged, nonces, wanted, answered] = fields;
    return {
      epoch: asUint(epoch, "epoch"),
      nextSeq: asUint(nextSeq, "nextSeq"),
      prev: asBytes(prev, "prev", 32),
      acknowledged: streamHeadFromTcbor(acknowledged, "acknowledged"),
      unacknowledged: asList(unacknowledged, "unacknowledged", bundleLimits.unacknowledged).map(sentFromTcbor),
      heardNonces: asList(nonces, "heardNonces", bundleLimits.answers).map((one) => asBytes(one, "heardNonces", 16)),
      snapshotWanted: asBoolean(wanted, "snapshotWanted"),
      answeredNonce: orNull(answered, (one) => asBytes(one, "answeredNonce", 16)),
    };
  });
}

function presentHead(value: Tcbor, at: string): StreamHead {
  const head = streamHeadFromTcbor(value, at);
  if (head === null) throw new TcborError("TCBOR_SHAPE", `${at}: null`);
  return head;
}

function heldFromTcbor(value: Tcbor): HeldItem {
  const [epoch, seq, id, bytes] = asTuple(value, "held", 4);
  return { ...presentHead([epoch ?? null, seq ?? null, id ?? null], "held"), bytes: asUint(bytes, "held.bytes") };
}

function sentFromTcbor(value: Tcbor): SentItem {
  const [epoch, seq, id, kind] = asTuple(value, "unacknowledged", 4);
  const head = presentHead([epoch ?? null, seq ?? null, id ?? null], "unacknowledged");
  return { ...head, kind: asUint(kind, "unacknowledged.kind", 1) as BundleKind };
}

function reading<T>(bytes: Uint8Array, magic: string, length: number, read: (fields: readonly Tcbor[]) => T): T {
  try {
    const fields = asTuple(decodeTcbor(bytes), magic, length);
    if (fields[0] !== magic) throw new TcborError("TCBOR_SHAPE", `not a ${magic}`);
    return read(fields);
  } catch (cause) {
    if (cause instanceof TcborError) throw new StreamError("STREAM_STATE_SHAPE", `${magic}: ${cause.message}`, { cause });
    throw cause;
  }
}
