import { diffieHellman, type KeyObject } from "node:crypto";
import { assert } from "../base/index.ts";
import { KeyError } from "./key-error.ts";
import { importPrivate, importPublic, rawPublic } from "./key-object.ts";

/** A private X25519 key, for one tunnel session or as half of an X-Wing key. */
export interface AgreementKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Shared secret of 32 bytes (RFC 7748). Throws KEY_MALFORMED, and KEY_WEAK where the secret would be all zero. */
  agree(peerPublicKey: Uint8Array): Uint8Array;
}

/** X25519 key of 32 random bytes, which the caller may wipe afterwards. */
export function agreementKeyFromSeed(seed: Uint8Array): AgreementKey {
  assert(seed.length === 32, "an X25519 private key has 32 bytes");
  return new NativeAgreementKey(importPrivate("x25519", seed));
}

class NativeAgreementKey implements AgreementKey {
  readonly #key: KeyObject;
  readonly publicKey: Uint8Array;

  constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = rawPublic(key);
  }

  agree(peerPublicKey: Uint8Array): Uint8Array {
    return agreeNative(this.#key, importPublic("x25519", peerPublicKey));
  }
}

/** X25519 of two imported keys. OpenSSL itself fails where the secret is all zero (RFC 7748 section 6.1); throws KEY_WEAK then. */
export function agreeNative(privateKey: KeyObject, publicKey: KeyObject): Uint8Array {
  try {
    return new Uint8Array(diffieHellman({ privateKey, publicKey }));
  } catch (cause) {
    throw new KeyError("KEY_WEAK", "X25519 key of small order", cause);
  }
}
