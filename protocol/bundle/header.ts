import {
  asBytes,
  asList,
  asMap,
  assert,
  asTuple,
  asUint,
  decodeTcbor,
  encodeTcbor,
  type Tcbor,
  TcborError,
} from "../base/index.ts";
import { BundleError, readingAs } from "./errors.ts";
import {
  type AuditHead,
  auditHeadFromTcbor,
  auditHeadToTcbor,
  type BootCounters,
  type BundleKind,
  bootFromTcbor,
  bootToTcbor,
  type Direction,
  direction,
  type IssuedAt,
  issuedAtFromTcbor,
  issuedAtToTcbor,
  type RootHead,
  rootFromTcbor,
  rootToTcbor,
  type StreamHead,
  streamHeadFromTcbor,
  streamHeadToTcbor,
} from "./header-fields.ts";
import { bundleLimits } from "./limits.ts";

/** All of a header but the seal: keys 1 to 30. The body key is bound to its bytes. */
export interface HeaderContext {
  /** 32 bytes: id of root version 1. */
  readonly vaultId: Uint8Array;
  readonly vaultEpoch: number;
  readonly direction: Direction;
  /** 20 bytes each; the vault as a recipient is the first 20 bytes of its id. */
  readonly signer: Uint8Array;
  readonly recipient: Uint8Array;
  /** 20 bytes: key id of the recipient's sealing key. */
  readonly sealingKeyId: Uint8Array;
  readonly root: RootHead;
  /** From 1 in each epoch. */
  readonly seq: number;
  /** 32 bytes: id of the item before, zeros at 1. */
  readonly prev: Uint8Array;
  readonly kind: BundleKind;
  readonly issuedAt: IssuedAt;
  /** 16 bytes of the sender, for the recipient to answer. */
  readonly nonce: Uint8Array;
  /** Up to 8 nonces of the recipient that the sender has heard. */
  readonly answers: readonly Uint8Array[];
  /** Other direction: highest applied without a gap; null asks for a snapshot. */
  readonly ack: StreamHead | null;
  readonly auditHead: AuditHead | null;
  /** The recipient's audit head that the sender last proved consistent. */
  readonly provenHead: AuditHead | null;
  /** Up only. */
  readonly boot: BootCounters | null;
}

/** The sealed part's description: keys 31 to 33. */
export interface HeaderSeal {
  /** 1,120 bytes. */
  readonly encapsulated: Uint8Array;
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  readonly ciphertextLength: number;
  /** 32 bytes, SHA-256. */
  readonly ciphertextHash: Uint8Array;
}

export interface BundleHeader extends HeaderContext, HeaderSeal {}

const suite = 1;
const at = "header";
const contextKeys = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 30] as const;
const sealKeys = [31, 32, 33] as const;
const stream = 0;

/** TCBOR of keys 1 to 30. */
export function encodeContext(context: HeaderContext): Uint8Array {
  return encodeTcbor(contextMap(context));
}

/** The signed payload of a bundle or report. */
export function encodeHeader(header: BundleHeader): Uint8Array {
  const map = contextMap(header);
  map.set(31, header.encapsulated);
  map.set(32, header.commitment);
  map.set(33, [header.ciphertextLength, header.ciphertextHash]);
  return encodeTcbor(map);
}

/** Inverse of {@link encodeHeader}. Throws BUNDLE_HEADER_SHAPE, or BUNDLE_UNSUPPORTED for a later suite or stream. */
export function decodeHeader(payload: Uint8Array): BundleHeader {
  return readingAs("BUNDLE_HEADER_SHAPE", () => {
    const value = decodeTcbor(payload);
    refuseLater(value);
    const map = asMap(value, at, { required: [...contextKeys, ...sealKeys], optional: [18] });
    return { ...contextFromMap(map), ...sealFromMap(map) };
  });
}

function contextMap(header: HeaderContext): Map<number, Tcbor> {
  assert((header.direction === direction.up) === (header.boot !== null), "boot counters go up, and only up");
  assert(header.seq >= 1 && (header.seq === 1) === isZero(header.prev), "the first item, and no other, follows on nothing");
  assert(header.answers.length <= bundleLimits.answers, "at most 8 answers");
  const map = new Map<number, Tcbor>([
    [1, header.vaultId],
    [2, header.vaultEpoch],
    [3, header.direction],
    [4, header.signer],
    [5, header.recipient],
    [6, header.sealingKeyId],
    [7, rootToTcbor(header.root)],
    [8, header.seq],
    [9, header.prev],
    [10, header.kind],
    [11, stream],
    [12, issuedAtToTcbor(header.issuedAt, header.direction)],
    [13, header.nonce],
    [14, header.answers],
    [15, streamHeadToTcbor(header.ack)],
    [16, auditHeadToTcbor(header.auditHead)],
    [17, auditHeadToTcbor(header.provenHead)],
  ]);
  if (header.boot !== null) map.set(18, bootToTcbor(header.boot));
  map.set(30, suite);
  return map;
}

function contextFromMap(map: ReadonlyMap<number, Tcbor>): HeaderContext {
  const way = asUint(map.get(3), `${at}.3`, direction.up) as Direction;
  const seq = asUint(map.get(8), `${at}.8`);
  const prev = asBytes(map.get(9), `${at}.9`, 32);
  if (seq === 0 || (seq === 1) !== isZero(prev)) throw shape("8, 9: the first item, and no other, follows on nothing");
  if ((way === direction.up) !== map.has(18)) throw shape("18: boot counters go up, and only up");
  const answers = asList(map.get(14), `${at}.14`, bundleLimits.answers);
  return {
    vaultId: asBytes(map.get(1), `${at}.1`, 32),
    vaultEpoch: asUint(map.get(2), `${at}.2`),
    direction: way,
    signer: asBytes(map.get(4), `${at}.4`, 20),
    recipient: asBytes(map.get(5), `${at}.5`, 20),
    sealingKeyId: asBytes(map.get(6), `${at}.6`, 20),
    root: rootFromTcbor(map.get(7)),
    seq,
    prev,
    kind: asUint(map.get(10), `${at}.10`, 1) as BundleKind,
    issuedAt: issuedAtFromTcbor(map.get(12), way),
    nonce: asBytes(map.get(13), `${at}.13`, 16),
    answers: answers.map((nonce) => asBytes(nonce, `${at}.14`, 16)),
    ack: streamHeadFromTcbor(map.get(15), `${at}.15`),
    auditHead: auditHeadFromTcbor(map.get(16), `${at}.16`),
    provenHead: auditHeadFromTcbor(map.get(17), `${at}.17`),
    boot: map.has(18) ? bootFromTcbor(map.get(18)) : null,
  };
}

function sealFromMap(map: ReadonlyMap<number, Tcbor>): HeaderSeal {
  const [length, hash] = asTuple(map.get(33), `${at}.33`, 2);
  return {
    encapsulated: asBytes(map.get(31), `${at}.31`, 1120),
    commitment: asBytes(map.get(32), `${at}.32`, 32),
    ciphertextLength: asUint(length, `${at}.33.length`),
    ciphertextHash: asBytes(hash, `${at}.33.hash`, 32),
  };
}

/** A later version keeps keys 11 and 30 where they are: it is told from garbage before its other keys are looked at. */
function refuseLater(value: Tcbor): void {
  if (!(value instanceof Map)) return;
  const found = { suite: value.get(30), stream: value.get(11) };
  if (typeof found.suite === "number" && found.suite !== suite)
    throw new BundleError("BUNDLE_UNSUPPORTED", `suite ${found.suite}, only ${suite} is known`);
  if (typeof found.stream === "number" && found.stream !== stream)
    throw new BundleError("BUNDLE_UNSUPPORTED", `stream ${found.stream}, only ${stream} is known`);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function shape(why: string): TcborError {
  return new TcborError("TCBOR_SHAPE", `${at}.${why}`);
}
