import {
  asBytes,
  asBytesUpTo,
  asList,
  asTuple,
  asUint,
  concat,
  decodeTcbor,
  encodeTcbor,
  type Tcbor,
  TcborError,
} from "../base/index.ts";
import { maxEnvelopeBytes, maxRootEnvelopeBytes } from "../envelope/index.ts";
import { signatureLength } from "../keys/index.ts";
import { TunnelError } from "./errors.ts";
import { maxHeadsPerMessage, maxHello1Bytes, maxHello2Bytes, maxHello3Bytes, maxStatements, nodeIdLength } from "./limits.ts";
import { headsFromTcbor, headsToTcbor, type StreamHead } from "./stream-head.ts";

/** M1, dialler to listener. */
export interface Hello1 {
  readonly versions: readonly number[];
  readonly vaultId: Uint8Array;
  readonly dialler: Uint8Array;
  readonly listener: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ephemeral: Uint8Array;
  /** 1 direct, 0 proxy. */
  readonly mode: number;
  readonly rootVersion: number;
}

/** M2, listener to dialler, before its signature. */
export interface Hello2 {
  readonly version: number;
  readonly listener: Uint8Array;
  readonly dialler: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ephemeral: Uint8Array;
  readonly mode: number;
  readonly member: Uint8Array;
  readonly statements: readonly Uint8Array[];
}

/** M3, dialler to listener, before its signature. */
export interface Hello3 {
  readonly member: Uint8Array;
  readonly counter: number;
  readonly heads: readonly StreamHead[];
}

/** A message with its signature cut off: `signed` is what went into the transcript. */
export interface SignedHello<T> {
  readonly hello: T;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

const magic = "tidegate-tunnel/1";
const maxVersions = 8;

export function encodeHello1(m: Hello1): Uint8Array {
  const ids = [m.vaultId, m.dialler, m.listener, m.nonce, m.ephemeral];
  return encodeTcbor([magic, 1, m.versions, ...ids, m.mode, m.rootVersion]);
}

/** Throws TUNNEL_TOO_LARGE, TUNNEL_MALFORMED. */
export function decodeHello1(bytes: Uint8Array): Hello1 {
  return shaped(bytes, maxHello1Bytes, 1, 10, (m) => ({
    versions: asList(m[2], "m1.versions", maxVersions).map((version) => asUint(version, "m1.version")),
    vaultId: asBytes(m[3], "m1.vaultId", 32),
    dialler: asBytes(m[4], "m1.dialler", nodeIdLength),
    listener: asBytes(m[5], "m1.listener", nodeIdLength),
    nonce: asBytes(m[6], "m1.nonce", 32),
    ephemeral: asBytes(m[7], "m1.ephemeral", 32),
    mode: asUint(m[8], "m1.mode", 1),
    rootVersion: asUint(m[9], "m1.rootVersion"),
  }));
}

export function encodeHello2(m: Hello2): Uint8Array {
  const ids = [m.listener, m.dialler, m.nonce, m.ephemeral];
  return encodeTcbor([magic, 2, m.version, ...ids, m.mode, m.member, m.statements]);
}

/** Throws TUNNEL_TOO_LARGE, TUNNEL_MALFORMED. */
export function decodeHello2(bytes: Uint8Array): SignedHello<Hello2> {
  return cutSignature(bytes, maxHello2Bytes, (signed) =>
    shaped(signed, maxHello2Bytes, 2, 10, (m) => ({
      version: asUint(m[2], "m2.version"),
      listener: asBytes(m[3], "m2.listener", nodeIdLength),
      dialler: asBytes(m[4], "m2.dialler", nodeIdLength),
      nonce: asBytes(m[5], "m2.nonce", 32),
      ephemeral: asBytes(m[6], "m2.ephemeral", 32),
      mode: asUint(m[7], "m2.mode", 1),
      member: asBytesUpTo(m[8], "m2.member", maxEnvelopeBytes),
      statements: asList(m[9], "m2.statements", maxStatements).map((one) =>
        asBytesUpTo(one, "m2.statement", maxRootEnvelopeBytes),
      ),
    })),
  );
}

export function encodeHello3(m: Hello3): Uint8Array {
  return encodeTcbor([magic, 3, m.member, m.counter, headsToTcbor(m.heads)]);
}

/** Throws TUNNEL_TOO_LARGE, TUNNEL_MALFORMED. */
export function decodeHello3(bytes: Uint8Array): SignedHello<Hello3> {
  return cutSignature(bytes, maxHello3Bytes, (signed) =>
    shaped(signed, maxHello3Bytes, 3, 5, (m) => ({
      member: asBytesUpTo(m[2], "m3.member", maxEnvelopeBytes),
      counter: asUint(m[3], "m3.counter"),
      heads: headsFromTcbor(m[4], "m3.heads", maxHeadsPerMessage),
    })),
  );
}

/** The message as sent: TCBOR, then 64 bytes of signature. */
export function withSignature(signed: Uint8Array, signature: Uint8Array): Uint8Array {
  return concat(signed, signature);
}

/** Runs a reader of TCBOR; what it refuses becomes TUNNEL_MALFORMED. */
export function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof TcborError) throw new TunnelError("TUNNEL_MALFORMED", cause.message, { cause });
    throw cause;
  }
}

function shaped<T>(bytes: Uint8Array, max: number, number: number, length: number, read: (m: readonly Tcbor[]) => T): T {
  if (bytes.length > max) throw tooLarge(bytes, max);
  return reading(() => {
    const fields = asTuple(decodeTcbor(bytes), `m${number}`, length);
    if (fields[0] !== magic || fields[1] !== number) throw new TunnelError("TUNNEL_MALFORMED", `not message ${number}`);
    return read(fields);
  });
}

function cutSignature<T>(bytes: Uint8Array, max: number, read: (signed: Uint8Array) => T): SignedHello<T> {
  if (bytes.length > max) throw tooLarge(bytes, max);
  if (bytes.length <= signatureLength) throw new TunnelError("TUNNEL_MALFORMED", "shorter than a signature");
  const cut = bytes.length - signatureLength;
  const signed = new Uint8Array(bytes.subarray(0, cut));
  return { hello: read(signed), signed, signature: new Uint8Array(bytes.subarray(cut)) };
}

function tooLarge(bytes: Uint8Array, max: number): TunnelError {
  return new TunnelError("TUNNEL_TOO_LARGE", `message of ${bytes.length} bytes, at most ${max}`);
}
