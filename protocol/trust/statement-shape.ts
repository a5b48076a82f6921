import { asBytes, asText, compareBytes, decodeTcbor, fromHex, sameBytes, type Tcbor, TcborError } from "../base/index.ts";
import { isWeakEd25519, KeyError } from "../keys/index.ts";
import { TrustError } from "./trust-error.ts";

/** Vault ids and other SHA-256 values. */
export const digestLength = 32;

/** SPKI DER of an uncompressed P-256 key up to the point's coordinates: RFC 5480 section 2. */
const p256Prefix = fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") as Uint8Array;
const p256SpkiLength = 91;

const segment = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const domain = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;

/** Decodes a statement's payload and reads it with `read`; every fault of shape becomes TRUST_MALFORMED. */
export function readStatement<T>(payload: Uint8Array, what: string, read: (value: Tcbor) => T): T {
  try {
    return read(decodeTcbor(payload));
  } catch (cause) {
    if (cause instanceof TcborError) throw new TrustError("TRUST_MALFORMED", `${what}: ${cause.message}`, cause);
    throw cause;
  }
}

/** Throws TRUST_MALFORMED saying `why` where `condition` does not hold. */
export function require(condition: boolean, why: string): asserts condition {
  if (!condition) throw new TrustError("TRUST_MALFORMED", why);
}

/** A raw Ed25519 public key. Throws KEY_WEAK for the encodings that SPEC.md section 3.2 refuses. */
export function asEd25519(value: Tcbor | undefined, at: string): Uint8Array {
  const raw = asBytes(value, at, 32);
  if (isWeakEd25519(raw)) throw new KeyError("KEY_WEAK", `${at}: Ed25519 key of small order or not canonical`);
  return raw;
}

/** A P-256 public key as SPKI DER, 91 bytes, point not compressed. */
export function asP256Spki(value: Tcbor | undefined, at: string): Uint8Array {
  const spki = asBytes(value, at, p256SpkiLength);
  require(sameBytes(spki.subarray(0, p256Prefix.length), p256Prefix), `${at}: not an uncompressed P-256 key`);
  return spki;
}

/** A node's or a zone's name: `[a-z0-9][a-z0-9._-]{0,62}`. */
export function asSegment(value: Tcbor | undefined, at: string): string {
  const text = asText(value, at, 63);
  require(segment.test(text), `${at}: not a name`);
  return text;
}

/** A trust domain: lower-case letters, digits, '.' and '-', with a letter or digit at both ends. */
export function asDomain(value: Tcbor | undefined, at: string, maxBytes: number): string {
  const text = asText(value, at, maxBytes);
  require(domain.test(text), `${at}: not a trust domain`);
  return text;
}

/** Throws TRUST_MALFORMED unless `keys` ascend, which also excludes doubles. */
export function requireAscending(keys: readonly Uint8Array[], at: string): void {
  for (const [index, key] of keys.entries()) {
    const previous = keys[index - 1];
    require(previous === undefined || compareBytes(previous, key) < 0, `${at}: not ascending`);
  }
}
