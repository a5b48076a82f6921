import { createECDH, createPrivateKey, createPublicKey, hash, type KeyObject } from "node:crypto";
import { assert, compareBytes, fromHex, type Random } from "../../protocol/base/index.ts";

const scalarBytes = 32;
/** Order of the group of P-256 (SEC 2, section 2.4.2). */
const order = fromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551") as Uint8Array;

/** A new P-256 private key, PKCS#8 DER, from the seam's random bytes: the same bytes give the same key. */
export function newTlsKey(random: Random): Uint8Array {
  for (let attempt = 0; attempt < 64; attempt += 1) {
    const scalar = random(scalarBytes);
    if (compareBytes(scalar, order) >= 0 || scalar.every((byte) => byte === 0)) continue;
    const der = tlsKeyFromScalar(scalar);
    scalar.fill(0);
    return der;
  }
  assert(false, "64 random scalars in a row outside the group of P-256");
}

/** Loads what {@link newTlsKey} made. */
export function loadTlsKey(der: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
}

/** SHA-256 of the public key's SubjectPublicKeyInfo, which the member statement binds. */
export function tlsSpkiHash(key: KeyObject): Uint8Array {
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return new Uint8Array(hash("sha256", spki, "buffer"));
}

function tlsKeyFromScalar(scalar: Uint8Array): Uint8Array {
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(scalar);
  const point = curve.getPublicKey();
  const part = (from: number) => point.subarray(from, from + scalarBytes).toString("base64url");
  const jwk = { kty: "EC", crv: "P-256", d: Buffer.from(scalar).toString("base64url"), x: part(1), y: part(1 + scalarBytes) };
  return new Uint8Array(createPrivateKey({ key: jwk, format: "jwk" }).export({ format: "der", type: "pkcs8" }));
}
