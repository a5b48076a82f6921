import { concat, sha256, toBase32, utf8 } from "../base/index.ts";

/** The `alg` numbers of SPEC.md section 3; 5 and 6 are reserved for ML-DSA-44 and ML-DSA-65. */
export const keyAlgorithm = { ed25519: 1, xWing: 3, p256: 4 } as const;

export type KeyAlgorithm = (typeof keyAlgorithm)[keyof typeof keyAlgorithm];

/** Bytes of a key id, and so of a node id. */
export const keyIdLength = 20;

const prefix = concat(utf8("tidegate/1 key"), Uint8Array.of(0));

/** Key id (20 bytes): SHA-256("tidegate/1 key" ‖ 00 ‖ algorithm ‖ raw public key), cut. */
export function keyIdOf(algorithm: KeyAlgorithm, publicKey: Uint8Array): Uint8Array {
  const digest = sha256(concat(prefix, Uint8Array.of(algorithm), publicKey));
  return digest.slice(0, keyIdLength);
}

/** A node id in names, file names and log origins: 32 characters of lower-case base32. */
export function nodeIdText(id: Uint8Array): string {
  return toBase32(id);
}
