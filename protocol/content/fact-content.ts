import { asBytes, assert, asTuple, asUint, decodeTcbor, encodeTcbor, orNull, type Tcbor, TcborError } from "../base/index.ts";
import { type Fact, indexFromTcbor, indexToTcbor, type VersionIndex } from "../bundle/index.ts";
import { type ContentCode, ContentError } from "./errors.ts";
import { contentLimits } from "./limits.ts";
import { asWord } from "./shapes.ts";

/** When something happened, by the node's clock: seconds since 1970, the upper bound null where it is not known. */
export interface FactTime {
  readonly lo: number;
  readonly hi: number | null;
}

/** Place of the leaf that records the event in the node's own audit log. */
export interface LeafPlace {
  readonly serial: number;
  readonly index: number;
}

interface AlarmFact<K> {
  readonly kind: K;
  readonly code: string;
  readonly subject: string;
  readonly at: FactTime;
}

/** What a node tells the vault. Numbers as in {@link factType}. */
export type FactContent =
  /** An entry that the node cannot use. */
  | { readonly kind: "inert"; readonly type: number; readonly id: Uint8Array; readonly code: string }
  /** A step of a rotation that the vault must know: never a value. */
  | {
      readonly kind: "rotation";
      readonly accountId: Uint8Array;
      readonly index: VersionIndex;
      /** 32 bytes: tells the vault that both mean the same value by this index. */
      readonly fingerprint: Uint8Array;
      readonly state: string;
      readonly outcome: string | null;
      readonly at: FactTime;
      readonly leaf: LeafPlace;
    }
  /** What a device says it is. */
  | { readonly kind: "identity"; readonly deviceId: Uint8Array; readonly identity: string }
  /** What became of an order. */
  | { readonly kind: "order-outcome"; readonly orderId: Uint8Array; readonly outcome: string; readonly code: string | null }
  | AlarmFact<"alarm">
  /** The alarm of this code and subject stands no longer. */
  | AlarmFact<"alarm-end">
  /** Size of the node's audit log and its leaves since the last anchor. */
  | { readonly kind: "audit"; readonly size: number; readonly eventsSinceAnchor: number }
  /** The gateway holds this version for its applications. */
  | { readonly kind: "consumer-ack"; readonly accountId: Uint8Array; readonly index: VersionIndex }
  /** A person read this version at the gateway. */
  | {
      readonly kind: "person-read";
      readonly accountId: Uint8Array;
      readonly index: VersionIndex;
      readonly applicationId: Uint8Array;
    };

export type FactKind = FactContent["kind"];

/** A number, once given, never means anything else. */
export const factType = {
  inert: 1,
  rotation: 2,
  identity: 3,
  "order-outcome": 4,
  alarm: 5,
  audit: 6,
  "consumer-ack": 7,
  "person-read": 8,
  "alarm-end": 9,
} as const satisfies Record<FactKind, number>;

/** What a fact says, or the code for which it is inert. */
export type ReadFact = { readonly content: FactContent } | { readonly inert: ContentCode };

interface FactCodec<C> {
  readonly length: number;
  encode(content: C): readonly Tcbor[];
  decode(tuple: readonly Tcbor[]): C;
}

const { wordBytes, subjectBytes } = contentLimits;

function alarmCodec<K extends "alarm" | "alarm-end">(kind: K): FactCodec<AlarmFact<K>> {
  return {
    length: 3,
    encode: (c) => [c.code, c.subject, timeToTcbor(c.at)],
    decode: ([code, subject, time]) => ({
      kind,
      code: asWord(code, `${kind}.code`, wordBytes),
      subject: asWord(subject, `${kind}.subject`, subjectBytes, 0),
      at: timeFromTcbor(time, `${kind}.at`),
    }),
  };
}

const codecs: { readonly [K in FactKind]: FactCodec<Extract<FactContent, { kind: K }>> } = {
  inert: {
    length: 3,
    encode: (c) => [c.type, c.id, c.code],
    decode: ([type, id, code]) => ({
      kind: "inert",
      type: asUint(type, "inert.type", 0xffff),
      id: asBytes(id, "inert.id", 16),
      code: asWord(code, "inert.code", wordBytes),
    }),
  },
  rotation: {
    length: 7,
    encode: (c) => [
      c.accountId,
      indexToTcbor(c.index),
      c.fingerprint,
      c.state,
      c.outcome,
      timeToTcbor(c.at),
      [c.leaf.serial, c.leaf.index],
    ],
    decode: ([accountId, index, fingerprint, state, outcome, time, leaf]) => ({
      kind: "rotation",
      accountId: asBytes(accountId, "rotation.accountId", 16),
      index: indexFromTcbor(index, "rotation.index"),
      fingerprint: asBytes(fingerprint, "rotation.fingerprint", 32),
      state: asWord(state, "rotation.state", wordBytes),
      outcome: orNull(outcome, (word) => asWord(word, "rotation.outcome", wordBytes)),
      at: timeFromTcbor(time, "rotation.at"),
      leaf: leafFromTcbor(leaf, "rotation.leaf"),
    }),
  },
  identity: {
    length: 2,
    encode: (c) => [c.deviceId, c.identity],
    decode: ([deviceId, identity]) => ({
      kind: "identity",
      deviceId: asBytes(deviceId, "identity.deviceId", 16),
      identity: asWord(identity, "identity.identity", subjectBytes, 0),
    }),
  },
  "order-outcome": {
    length: 3,
    encode: (c) => [c.orderId, c.outcome, c.code],
    decode: ([orderId, outcome, code]) => ({
      kind: "order-outcome",
      orderId: asBytes(orderId, "order-outcome.orderId", 16),
      outcome: asWord(outcome, "order-outcome.outcome", wordBytes),
      code: orNull(code, (word) => asWord(word, "order-outcome.code", wordBytes)),
    }),
  },
  alarm: alarmCodec("alarm"),
  "alarm-end": alarmCodec("alarm-end"),
  audit: {
    length: 2,
    encode: (c) => [c.size, c.eventsSinceAnchor],
    decode: ([size, events]) => ({
      kind: "audit",
      size: asUint(size, "audit.size"),
      eventsSinceAnchor: asUint(events, "audit.eventsSinceAnchor"),
    }),
  },
  "consumer-ack": {
    length: 2,
    encode: (c) => [c.accountId, indexToTcbor(c.index)],
    decode: ([accountId, index]) => ({
      kind: "consumer-ack",
      accountId: asBytes(accountId, "consumer-ack.accountId", 16),
      index: indexFromTcbor(index, "consumer-ack.index"),
    }),
  },
  "person-read": {
    length: 3,
    encode: (c) => [c.accountId, indexToTcbor(c.index), c.applicationId],
    decode: ([accountId, index, applicationId]) => ({
      kind: "person-read",
      accountId: asBytes(accountId, "person-read.accountId", 16),
      index: indexFromTcbor(index, "person-read.index"),
      applicationId: asBytes(applicationId, "person-read.applicationId", 16),
    }),
  },
};

const kinds = new Map<number, FactKind>(Object.entries(factType).map(([kind, type]) => [type, kind as FactKind]));

/** The fact that says `content`; a content that the reader would refuse is a bug and crashes. */
export function encodeFact(content: FactContent): Fact {
  const codec = codecs[content.kind] as FactCodec<FactContent>;
  const tuple = codec.encode(content);
  assert(tuple.length === codec.length, "each codec writes its own length");
  codec.decode(tuple);
  return { type: factType[content.kind], payload: encodeTcbor(tuple) };
}

/** Inverse of {@link encodeFact}. Throws CONTENT_UNKNOWN_TYPE, CONTENT_MALFORMED. */
export function decodeFact(fact: Fact): FactContent {
  const kind = kinds.get(fact.type);
  if (kind === undefined) throw new ContentError("CONTENT_UNKNOWN_TYPE", `fact type ${fact.type}`);
  try {
    return codecs[kind].decode(asTuple(decodeTcbor(fact.payload), kind, codecs[kind].length));
  } catch (cause) {
    if (cause instanceof TcborError) throw new ContentError("CONTENT_MALFORMED", `${kind}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** Reads a fact; one that this version cannot use is inert, never an error. */
export function readFact(fact: Fact): ReadFact {
  try {
    return { content: decodeFact(fact) };
  } catch (error) {
    if (error instanceof ContentError) return { inert: error.code };
    throw error;
  }
}

function timeToTcbor(time: FactTime): Tcbor {
  return [time.lo, time.hi];
}

function timeFromTcbor(value: Tcbor | undefined, at: string): FactTime {
  const [first, last] = asTuple(value, at, 2);
  const lo = asUint(first, `${at}.lo`);
  const hi = orNull(last, (bound) => asUint(bound, `${at}.hi`));
  if (hi !== null && hi < lo) throw new TcborError("TCBOR_SHAPE", `${at}: ends before it begins`);
  return { lo, hi };
}

function leafFromTcbor(value: Tcbor | undefined, at: string): LeafPlace {
  const [serial, index] = asTuple(value, at, 2);
  return { serial: asUint(serial, `${at}.serial`), index: asUint(index, `${at}.index`) };
}
