import { assert, sameBytes } from "../base/index.ts";
import type { BundleHeader } from "./header.ts";
import { bundleKind, type StreamHead } from "./header-fields.ts";
import { bundleLimits } from "./limits.ts";
import { comparePlace } from "./place.ts";

/** NORMAL follows the stream; the others apply nothing but a snapshot that answers the node's own current nonce. */
export const receiverModes = ["FRESH", "REJOINED", "NORMAL", "QUARANTINE"] as const;
export type ReceiverMode = (typeof receiverModes)[number];

/** An item that arrived ahead of a gap; its carrier lies at the node under its id. */
export interface HeldItem extends StreamHead {
  /** Length of the sealed body. */
  readonly bytes: number;
}

/** The receiving end of one stream. A value; each function returns the next one, to be stored with what it belongs to. */
export interface ReceiverState {
  readonly mode: ReceiverMode;
  /** Vault epoch of the newest applied item, or the one joined under; never goes down. */
  readonly epoch: number;
  /** Highest root version that an applied item was issued under; never goes down. */
  readonly rootVersion: number;
  /** Newest applied item; null only where mode is FRESH. */
  readonly head: StreamHead | null;
  /** 32 bytes: digest of the applied state. */
  readonly stateDigest: Uint8Array;
  /** 16 bytes: own nonce that the sender is to answer. */
  readonly nonce: Uint8Array;
  /** Earlier own nonces, newest first, at most 64. */
  readonly pastNonces: readonly Uint8Array[];
  /** Applied items, oldest first, at most 256: what tells a repetition from a fork. */
  readonly recent: readonly StreamHead[];
  /** By (epoch, seq), at most 64. */
  readonly held: readonly HeldItem[];
  /** True while the node asks for a snapshot because too much waits ahead of a gap. */
  readonly wantsSnapshot: boolean;
}

interface StartReceiver {
  /** Vault epoch of the root that the node joined under. */
  readonly epoch: number;
  readonly rootVersion: number;
  /** Digest of the state held, the empty one for a new node. */
  readonly stateDigest: Uint8Array;
  /** 16 random bytes. */
  readonly nonce: Uint8Array;
}

/** A stream of which nothing was applied yet. */
export function startReceiver({ epoch, rootVersion, stateDigest, nonce }: StartReceiver): ReceiverState {
  assert(nonce.length === 16, "nonce is 16 bytes");
  const nothing = { head: null, pastNonces: [], recent: [], held: [], wantsSnapshot: false };
  return { mode: "FRESH", epoch, rootVersion, stateDigest, nonce, ...nothing };
}

/**
 * A new current nonce (16 random bytes), as at each boot in NORMAL; the old one still counts as heard, but proves no freshness. Not while
 * a snapshot is awaited: the answer under way would be refused.
 */
export function renewNonce(receiver: ReceiverState, nonce: Uint8Array): ReceiverState {
  assert(nonce.length === 16, "nonce is 16 bytes");
  const pastNonces = [receiver.nonce, ...receiver.pastNonces].slice(0, bundleLimits.pastNonces);
  return { ...receiver, nonce, pastNonces };
}

/**
 * Puts a node into REJOINED or QUARANTINE with a new nonce: only an answer made after this moment lets it go on. FRESH stays FRESH. A node
 * in QUARANTINE keeps its nonce, else whoever replays the contradiction could void each answer under way.
 */
export function requireSnapshot(receiver: ReceiverState, mode: "REJOINED" | "QUARANTINE", nonce: Uint8Array): ReceiverState {
  if (receiver.mode === "QUARANTINE" && mode === "QUARANTINE") return receiver;
  return { ...renewNonce(receiver, nonce), mode: receiver.head === null ? "FRESH" : mode };
}

/** Asks for a snapshot, after STREAM_HELD_FULL; the new nonce lets the sender tell this wish from an older one. */
export function askSnapshot(receiver: ReceiverState, nonce: Uint8Array): ReceiverState {
  return { ...renewNonce(receiver, nonce), wantsSnapshot: true };
}

/** What this end puts into header key 15: its head, or null to ask for a snapshot. */
export function acknowledgement(receiver: ReceiverState): StreamHead | null {
  return receiver.mode === "NORMAL" && !receiver.wantsSnapshot ? receiver.head : null;
}

/** Remembers an item that was judged "hold"; the caller stores its carrier in the same transaction. Idempotent. */
export function holdItem(receiver: ReceiverState, header: BundleHeader, id: Uint8Array): ReceiverState {
  if (receiver.held.some((item) => sameBytes(item.id, id))) return receiver;
  const item = { epoch: header.vaultEpoch, seq: header.seq, id, bytes: header.ciphertextLength };
  const held = [...receiver.held, item].sort(comparePlace);
  assert(held.length <= bundleLimits.heldItems, "judge bounds the held items");
  return { ...receiver, held };
}

/** Forgets a held item, where its carrier turned out to be refused. */
export function dropHeld(receiver: ReceiverState, id: Uint8Array): ReceiverState {
  return { ...receiver, held: receiver.held.filter((item) => !sameBytes(item.id, id)) };
}

export interface Applied {
  readonly receiver: ReceiverState;
  /** Held items that this one made useless: their carriers can go. */
  readonly dropped: readonly HeldItem[];
  /** The held item that is now due; the caller opens its carrier again. */
  readonly next: HeldItem | null;
}

/** The state after an item that was judged "apply" was applied with this resulting digest; part of the applying transaction. */
export function itemApplied(receiver: ReceiverState, header: BundleHeader, id: Uint8Array, stateDigest: Uint8Array): Applied {
  const head = { epoch: header.vaultEpoch, seq: header.seq, id };
  const before = receiver.head;
  assert(before === null || comparePlace(head, before) > 0, "only what lies above the head is applied");
  assert(header.kind === bundleKind.snapshot || receiver.mode === "NORMAL", "only NORMAL follows deltas");
  const held = receiver.held.filter((item) => comparePlace(item, head) > 0);
  const dropped = receiver.held.filter((item) => comparePlace(item, head) <= 0 && !sameBytes(item.id, id));
  const next: ReceiverState = {
    ...receiver,
    mode: "NORMAL",
    epoch: head.epoch,
    rootVersion: header.root.version,
    head,
    stateDigest,
    recent: [...receiver.recent, head].slice(-bundleLimits.recentIds),
    held,
    wantsSnapshot: false,
  };
  const due = held.find((item) => item.epoch === head.epoch && item.seq === head.seq + 1);
  return { receiver: next, dropped, next: due ?? null };
}
