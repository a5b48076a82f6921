import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { assert, concat, fromHex } from "../base/index.ts";
import { KeyError } from "./key-error.ts";

/** DER of a PKCS#8 private key up to the raw key: RFC 8410 section 7, and the seed form of draft-ietf-lamps-kyber-certificates. */
const privatePrefix = {
  ed25519: der("302e020100300506032b657004220420"),
  x25519: der("302e020100300506032b656e04220420"),
  mlKem768: der("3054020100300b0609608648016503040402" + "04428040"),
} as const;

/** Private key from its raw bytes. By DER, not JWK: a JWK would leave the secret in a string that cannot be wiped. */
export function importPrivate(kind: keyof typeof privatePrefix, raw: Uint8Array): KeyObject {
  const encoded = concat(privatePrefix[kind], raw);
  try {
    return createPrivateKey({ key: Buffer.from(encoded.buffer), format: "der", type: "pkcs8" });
  } finally {
    encoded.fill(0);
  }
}

const publicJwk = {
  ed25519: { kty: "OKP", crv: "Ed25519", length: 32 },
  x25519: { kty: "OKP", crv: "X25519", length: 32 },
  mlKem768: { kty: "AKP", alg: "ML-KEM-768", length: 1184 },
} as const;

/** Public key from its raw bytes, by JWK: several times faster than DER. Throws KEY_MALFORMED. */
export function importPublic(kind: keyof typeof publicJwk, raw: Uint8Array): KeyObject {
  const { length, ...jwk } = publicJwk[kind];
  if (raw.length !== length) throw new KeyError("KEY_MALFORMED", `${kind} public key of ${raw.length} bytes`);
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString("base64url");
  try {
    return createPublicKey({ key: { ...jwk, [jwk.kty === "OKP" ? "x" : "pub"]: text }, format: "jwk" });
  } catch (cause) {
    throw new KeyError("KEY_MALFORMED", `not a ${kind} public key`, cause);
  }
}

/** Raw public bytes of a private key. */
export function rawPublic(privateKey: KeyObject): Uint8Array {
  const jwk = createPublicKey(privateKey).export({ format: "jwk" }) as { x?: string; pub?: string };
  const text = jwk.x ?? jwk.pub;
  assert(text !== undefined, "a public JWK without key");
  return new Uint8Array(Buffer.from(text, "base64url"));
}

function der(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  assert(bytes !== null, "DER prefix");
  return bytes;
}
