import { decapsulate, encapsulate, generateKeyPairSync, hash, type KeyObject } from "node:crypto";
import { assert, concat, fromHex, sha256 } from "../base/index.ts";
import { KeyError } from "./key-error.ts";
import { keyAlgorithm, keyIdOf } from "./key-id.ts";
import { importPrivate, importPublic, rawPublic } from "./key-object.ts";
import { agreeNative } from "./x25519.ts";

/**
 * X-Wing (draft-connolly-cfrg-xwing-kem, HPKE KEM 0x647A): ML-KEM-768 and X25519 under one SHA3-256 combiner. It stays secret while
 * either of the two holds. Both halves are the runtime's own.
 */
export const xWingLength = { seed: 32, publicKey: 1216, ciphertext: 1120, secret: 32 } as const;

const mlKemLength = { publicKey: 1184, ciphertext: 1088, seed: 64 } as const;
/** `\.//^\`, section 5.3 of the draft. */
const label = fromHex("5c2e2f2f5e5c") as Uint8Array;

/** A private sealing key. */
export interface SealingKey {
  /** 1,216 bytes. */
  readonly publicKey: Uint8Array;
  /** SHA-256 of the public key, 32 bytes: every body key is bound to it. */
  readonly publicKeyDigest: Uint8Array;
  /** 20 bytes. */
  readonly keyId: Uint8Array;
  /**
   * The 32-byte secret of a 1,120-byte ciphertext; another secret where the ciphertext is not for this key.
   * Throws KEY_MALFORMED for another length and KEY_WEAK where its X25519 half has small order.
   */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
}

/** A public sealing key, imported once for any number of encapsulations. */
export interface SealingPublicKey {
  /** 1,216 bytes. */
  readonly publicKey: Uint8Array;
  /** SHA-256 of the public key, 32 bytes: every body key is bound to it. */
  readonly publicKeyDigest: Uint8Array;
  /** 20 bytes. */
  readonly keyId: Uint8Array;
  /** A new 32-byte secret and its 1,120-byte ciphertext. Draws from the runtime: native ML-KEM takes no seed. */
  encapsulate(): { secret: Uint8Array; ciphertext: Uint8Array };
}

/** Sealing key of a 32-byte seed, which the caller may wipe afterwards. */
export function sealingKeyFromSeed(seed: Uint8Array): SealingKey {
  assert(seed.length === xWingLength.seed, "an X-Wing seed has 32 bytes");
  // Section 5.2: SHAKE256 makes d ‖ z of ML-KEM and the X25519 private key.
  const expanded = hash("shake256", seed, { outputEncoding: "buffer", outputLength: 96 });
  try {
    const mlKem = importPrivate("mlKem768", expanded.subarray(0, mlKemLength.seed));
    const x25519 = importPrivate("x25519", expanded.subarray(mlKemLength.seed));
    return new NativeSealingKey(mlKem, x25519);
  } finally {
    expanded.fill(0);
  }
}

/**
 * Public sealing key from its 1,216 bytes. Throws KEY_MALFORMED, also where an ML-KEM coefficient is not reduced, and KEY_WEAK where
 * the X25519 half has small order.
 */
export function importSealingPublicKey(raw: Uint8Array): SealingPublicKey {
  if (raw.length !== xWingLength.publicKey) throw new KeyError("KEY_MALFORMED", `X-Wing public key of ${raw.length} bytes`);
  const mlKem = importPublic("mlKem768", raw.subarray(0, mlKemLength.publicKey));
  const x25519 = importPublic("x25519", raw.subarray(mlKemLength.publicKey));
  agreeNative(generateKeyPairSync("x25519").privateKey, x25519);
  return new NativeSealingPublicKey(raw.slice(), mlKem, x25519);
}

class NativeSealingKey implements SealingKey {
  readonly #mlKem: KeyObject;
  readonly #x25519: KeyObject;
  readonly publicKey: Uint8Array;
  readonly publicKeyDigest: Uint8Array;
  readonly keyId: Uint8Array;

  constructor(mlKem: KeyObject, x25519: KeyObject) {
    this.#mlKem = mlKem;
    this.#x25519 = x25519;
    this.publicKey = concat(rawPublic(mlKem), rawPublic(x25519));
    this.publicKeyDigest = sha256(this.publicKey);
    this.keyId = keyIdOf(keyAlgorithm.xWing, this.publicKey);
  }

  decapsulate(ciphertext: Uint8Array): Uint8Array {
    if (ciphertext.length !== xWingLength.ciphertext) {
      throw new KeyError("KEY_MALFORMED", `X-Wing ciphertext of ${ciphertext.length} bytes`);
    }
    const x25519Ciphertext = ciphertext.subarray(mlKemLength.ciphertext);
    return combine({
      mlKemSecret: decapsulate(this.#mlKem, ciphertext.subarray(0, mlKemLength.ciphertext)),
      x25519Secret: agreeNative(this.#x25519, importPublic("x25519", x25519Ciphertext)),
      x25519Ciphertext,
      x25519PublicKey: this.publicKey.subarray(mlKemLength.publicKey),
    });
  }
}

class NativeSealingPublicKey implements SealingPublicKey {
  readonly #mlKem: KeyObject;
  readonly #x25519: KeyObject;
  readonly publicKey: Uint8Array;
  readonly publicKeyDigest: Uint8Array;
  readonly keyId: Uint8Array;

  constructor(publicKey: Uint8Array, mlKem: KeyObject, x25519: KeyObject) {
    this.#mlKem = mlKem;
    this.#x25519 = x25519;
    this.publicKey = publicKey;
    this.publicKeyDigest = sha256(publicKey);
    this.keyId = keyIdOf(keyAlgorithm.xWing, publicKey);
  }

  encapsulate(): { secret: Uint8Array; ciphertext: Uint8Array } {
    // The public half as JWK: a third faster than as a second KeyObject, and its bytes are all that is wanted.
    const pair = generateKeyPairSync("x25519", { publicKeyEncoding: { format: "jwk" } });
    const { x = "" } = pair.publicKey as { x?: string };
    const x25519Ciphertext = Buffer.from(x, "base64url");
    const { sharedKey, ciphertext } = encapsulate(this.#mlKem);
    const secret = combine({
      mlKemSecret: sharedKey,
      x25519Secret: agreeNative(pair.privateKey, this.#x25519),
      x25519Ciphertext,
      x25519PublicKey: this.publicKey.subarray(mlKemLength.publicKey),
    });
    return { secret, ciphertext: concat(ciphertext, x25519Ciphertext) };
  }
}

interface CombinerInput {
  readonly mlKemSecret: Uint8Array;
  readonly x25519Secret: Uint8Array;
  readonly x25519Ciphertext: Uint8Array;
  readonly x25519PublicKey: Uint8Array;
}

/** Section 5.3; wipes both secrets that it mixes. */
function combine(input: CombinerInput): Uint8Array {
  const mixed = concat(input.mlKemSecret, input.x25519Secret, input.x25519Ciphertext, input.x25519PublicKey, label);
  const secret = new Uint8Array(hash("sha3-256", mixed, "buffer"));
  for (const bytes of [mixed, input.mlKemSecret, input.x25519Secret]) bytes.fill(0);
  return secret;
}
