import { type KeyObject, sign, verify } from "node:crypto";
import { assert } from "../base/index.ts";
import { KeyError } from "./key-error.ts";
import { keyAlgorithm, keyIdOf } from "./key-id.ts";
import { importPrivate, importPublic, rawPublic } from "./key-object.ts";
import { isWeakEd25519 } from "./weak-points.ts";

/** A private Ed25519 key. The seed itself is not kept. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 20 bytes. */
  readonly keyId: Uint8Array;
  /** Signature of 64 bytes (RFC 8032, pure Ed25519). */
  sign(message: Uint8Array): Uint8Array;
}

/** A public Ed25519 key, imported once. */
export interface VerifyKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 20 bytes. */
  readonly keyId: Uint8Array;
  /** False for any signature that is not this key's over exactly `message`; S must be below the group order. */
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

/** Bytes of an Ed25519 signature. */
export const signatureLength = 64;

/** Signing key of a 32-byte seed, which the caller may wipe afterwards. */
export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  assert(seed.length === 32, "an Ed25519 seed has 32 bytes");
  return new NativeSigningKey(importPrivate("ed25519", seed));
}

/** Public key from its 32 bytes. Throws KEY_MALFORMED, and KEY_WEAK for small-order points and encodings with y not below p. */
export function importVerifyKey(raw: Uint8Array): VerifyKey {
  if (raw.length === 32 && isWeakEd25519(raw)) throw new KeyError("KEY_WEAK", "Ed25519 key of small order or not canonical");
  return new NativeVerifyKey(raw.slice(), importPublic("ed25519", raw));
}

class NativeSigningKey implements SigningKey {
  readonly #key: KeyObject;
  readonly publicKey: Uint8Array;
  readonly keyId: Uint8Array;

  constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = rawPublic(key);
    this.keyId = keyIdOf(keyAlgorithm.ed25519, this.publicKey);
  }

  sign(message: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, message, this.#key));
  }
}

class NativeVerifyKey implements VerifyKey {
  readonly #key: KeyObject;
  readonly publicKey: Uint8Array;
  readonly keyId: Uint8Array;

  constructor(publicKey: Uint8Array, key: KeyObject) {
    this.#key = key;
    this.publicKey = publicKey;
    this.keyId = keyIdOf(keyAlgorithm.ed25519, publicKey);
  }

  verify(message: Uint8Array, signature: Uint8Array): boolean {
    return signature.length === signatureLength && verify(null, message, this.#key, signature);
  }
}
