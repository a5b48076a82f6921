import {
  asBoolean,
  asList,
  asText,
  asTuple,
  asUint,
  decodeTcbor,
  encodeTcbor,
  orNull,
  type Tcbor,
  utf8,
} from "../../protocol/base/index.ts";
import {
  bundleLimits,
  decodeReceiver,
  decodeSender,
  encodeReceiver,
  encodeSender,
  type ReceiverState,
  type SenderState,
} from "../../protocol/bundle/index.ts";
import { decodeTime, encodeTime, type TimeState } from "../../protocol/time/index.ts";
import { decodeTrust, encodeTrust, type TrustState } from "../../protocol/trust/index.ts";
import type { Store, Transaction, View } from "../store/index.ts";
import { NodeError } from "./errors.ts";

/** What a node remembers of itself, each part one row. Values: a change makes new ones. */
export interface NodeRecord {
  readonly trust: TrustState;
  readonly receiver: ReceiverState;
  readonly sender: SenderState;
  readonly time: TimeState;
  readonly nonce: NonceRecord;
  readonly counters: NodeCounters;
  readonly heard: HeardRecord;
}

/** By the vault's own clock, milliseconds since 1970; null before the first. */
export interface HeardRecord {
  /** When it is known to have heard us last: the first answer to a nonce of ours. */
  readonly atMs: number | null;
  /** When it issued the newest bundle that was applied here. */
  readonly wordAtMs: number | null;
}

/** When the current nonce was made, and which nonces are open: made, and neither they nor a later one answered yet. */
export interface NonceRecord {
  readonly bootId: string;
  readonly sinceBootMs: number;
  readonly answered: boolean;
  /** Of the newest past nonces, newest first, those that are open: until when each was in use, milliseconds since 1970. */
  readonly openUntilMs: readonly number[];
}

/** Each is stored, raised, before it is used. */
export interface NodeCounters {
  readonly join: number;
  readonly boot: number;
  readonly tunnel: number;
}

type Codec<T> = { encode(value: T): Uint8Array; decode(bytes: Uint8Array): T };

const table = "node";

const codecs: { readonly [K in keyof NodeRecord]: Codec<NodeRecord[K]> } = {
  trust: { encode: encodeTrust, decode: decodeTrust },
  receiver: { encode: encodeReceiver, decode: decodeReceiver },
  sender: { encode: encodeSender, decode: decodeSender },
  time: { encode: encodeTime, decode: decodeTime },
  nonce: {
    encode: (nonce) => encodeTcbor([nonce.bootId, nonce.sinceBootMs, nonce.answered, nonce.openUntilMs]),
    decode: (bytes) => {
      const [bootId, sinceBootMs, answered, open] = asTuple(decodeTcbor(bytes), "nonce", 4);
      return {
        bootId: asText(bootId, "nonce.bootId", 128),
        sinceBootMs: asUint(sinceBootMs, "nonce.sinceBootMs"),
        answered: asBoolean(answered, "nonce.answered"),
        openUntilMs: asList(open, "nonce.open", bundleLimits.pastNonces).map((one) => asUint(one, "nonce.open")),
      };
    },
  },
  counters: {
    encode: (counters) => encodeTcbor([counters.join, counters.boot, counters.tunnel]),
    decode: (bytes) => {
      const [join, boot, tunnel] = asTuple(decodeTcbor(bytes), "counters", 3);
      return { join: asUint(join, "join"), boot: asUint(boot, "boot"), tunnel: asUint(tunnel, "tunnel") };
    },
  },
  heard: {
    encode: (heard) => encodeTcbor([heard.atMs, heard.wordAtMs]),
    decode: (bytes) => {
      const [atMs, wordAtMs] = asTuple(decodeTcbor(bytes), "heard", 2);
      const time = (value: Tcbor | undefined, name: string) => orNull(value, (one) => asUint(one, name));
      return { atMs: time(atMs, "heard.atMs"), wordAtMs: time(wordAtMs, "heard.wordAtMs") };
    },
  },
};

const names = Object.keys(codecs) as (keyof NodeRecord)[];

/** A record being changed within a transaction. */
export type NodeDraft = { -readonly [K in keyof NodeRecord]: NodeRecord[K] };

/** The node's record in memory and on disk: memory follows the disk, and only after the commit. */
export class NodeRecords {
  readonly #store: Store;
  #current: NodeRecord;

  private constructor(store: Store, current: NodeRecord) {
    this.#store = store;
    this.#current = current;
  }

  /** Throws NODE_NOT_JOINED. */
  static load(store: Store): NodeRecords {
    const record = store.read(readRecord);
    if (record === null) {
      throw new NodeError("NODE_NOT_JOINED", "this node has not joined a vault", {
        hint: "Join it first: 'tidegate gateway join' or 'tidegate edge join'.",
      });
    }
    return new NodeRecords(store, record);
  }

  get current(): NodeRecord {
    return this.#current;
  }

  /** Runs `work` in one transaction with a draft of the record, and stores what it replaced. */
  change<T>(work: (tx: Transaction, draft: NodeDraft) => T): T {
    const before = this.#current;
    const draft: NodeDraft = { ...before };
    const result = this.#store.transaction((tx) => {
      const value = work(tx, draft);
      writeRecord(tx, draft, before);
      return value;
    });
    this.#current = draft;
    return result;
  }
}

/** The stored record, or null where the node has not joined. */
export function readRecord(view: View): NodeRecord | null {
  if (view.get(table, utf8("trust")) === null) return null;
  const read = names.map((name) => [name, codecs[name].decode(required(view, name))]);
  // `names` are the record's own keys and each codec gives its key's type; fromEntries forgets both.
  return Object.fromEntries(read) as unknown as NodeRecord;
}

/** Writes the parts that differ from `before`; all of them where there is none. */
export function writeRecord(tx: Transaction, record: NodeRecord, before: NodeRecord | null): void {
  for (const name of names) writePart(tx, name, record, before);
}

function writePart<K extends keyof NodeRecord>(tx: Transaction, name: K, record: NodeRecord, before: NodeRecord | null): void {
  if (before !== null && before[name] === record[name]) return;
  const codec: Codec<NodeRecord[K]> = codecs[name];
  tx.put(table, utf8(name), codec.encode(record[name]));
}

function required(view: View, name: string): Uint8Array {
  const row = view.get(table, utf8(name));
  if (row === null) throw new NodeError("NODE_NOT_JOINED", `the node's record lacks ${name}`);
  return row;
}
