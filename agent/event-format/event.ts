import { decodeLeaf, hashLeaf, type Leaf } from "../../protocol/audit/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { type Severity, severityOf } from "./severity.ts";

/** A leaf as it leaves the node: where it stands in which log, and what vouches for it. */
export interface ForwardedEvent {
  readonly leaf: Leaf;
  /** The leaf's exact bytes; printable ASCII. */
  readonly text: string;
  /** Of the log. With the leaf's index it names the event for ever: a receiver drops what it has under that name. */
  readonly origin: string;
  /** RFC 6962 leaf hash, hexadecimal. */
  readonly hash: string;
  readonly severity: Severity;
  /** Milliseconds since 1970: the machine's clock where the signed time does not contradict it, else the signed time's lower end. */
  readonly atMs: number;
}

/** The node that speaks. */
export interface Speaker {
  /** As the vault registered it. */
  readonly name: string;
  readonly role: "vault" | "gateway" | "edge";
  /** Of Tidegate. */
  readonly version: string;
}

/** 9999-12-31: later years have no spelling in RFC 3339. */
const lastMs = 253_402_300_799_999;

/** The event's time in RFC 3339, UTC. */
export function timeText({ atMs }: Pick<ForwardedEvent, "atMs">): string {
  return new Date(Math.min(atMs, lastMs)).toISOString();
}

/** One event in one format: a line without its end, in UTF-8. */
export type EventFormat = (event: ForwardedEvent, speaker: Speaker) => string;

/** Reads a leaf's bytes. Throws AUDIT_LEAF_MALFORMED. */
export function eventOf(bytes: Uint8Array, origin: string): ForwardedEvent {
  const leaf = decodeLeaf(bytes);
  const [lo, hi] = leaf.time;
  const { wallMs } = leaf;
  return {
    leaf,
    text: Buffer.from(bytes).toString("latin1"),
    origin,
    hash: toHex(hashLeaf(bytes)),
    severity: severityOf(leaf),
    atMs: wallMs >= lo && (hi === null || wallMs <= hi) ? wallMs : lo,
  };
}
