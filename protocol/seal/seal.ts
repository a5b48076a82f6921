import { assert, sameSecret } from "../base/index.ts";
import { KeyError, type SealingKey, type SealingPublicKey } from "../keys/index.ts";
import { deriveBodyKey, type SealLabel } from "./body-key.ts";
import { boxChunks, boxedLength, unboxChunks } from "./chunks.ts";
import { maxCiphertextBytes } from "./limits.ts";
import { pad, unpad } from "./padding.ts";
import { SealError } from "./seal-error.ts";

/** A sealed body in its three parts; header keys 31, 32 and the bytes that key 33 measures. */
export interface Sealed {
  /** KEM ciphertext, 1,120 bytes. */
  readonly encapsulated: Uint8Array;
  /** Key commitment, 32 bytes. */
  readonly commitment: Uint8Array;
  /** Secretbox chunks. */
  readonly ciphertext: Uint8Array;
}

export interface SealOptions {
  /** The header's keys 1 to 30, encoded; the body opens in no other context. */
  readonly context: Uint8Array;
  readonly recipient: SealingPublicKey;
  readonly plaintext: Uint8Array;
  /** Default "body". */
  readonly label?: SealLabel;
}

export interface OpenOptions extends Sealed {
  readonly context: Uint8Array;
  readonly key: SealingKey;
  /** Default "body". */
  readonly label?: SealLabel;
}

/** Seals `plaintext` to `recipient`, bound to `context`; pads it inside. Throws SEAL_TOO_LARGE. The caller wipes `plaintext`. */
export function sealBody(options: SealOptions): Sealed {
  const { context, recipient, label = "body" } = options;
  const padded = pad(options.plaintext);
  if (boxedLength(padded.length) > maxCiphertextBytes) {
    padded.fill(0);
    throw new SealError("SEAL_TOO_LARGE", `body of ${options.plaintext.length} bytes`);
  }
  const { secret, ciphertext: encapsulated } = recipient.encapsulate();
  const body = deriveBodyKey({ secret, label, context, recipientDigest: recipient.publicKeyDigest, encapsulated });
  const ciphertext = boxChunks(padded, body.key);
  assert(ciphertext.length === boxedLength(padded.length), "chunks have the length that was promised");
  for (const bytes of [padded, secret]) bytes.fill(0);
  body.wipe();
  return { encapsulated, commitment: body.commitment, ciphertext };
}

/** Opens what {@link sealBody} made. Throws SEAL_OPEN_FAILED, whatever the cause. The caller wipes the result. */
export function openBody(options: OpenOptions): Uint8Array {
  const { context, key, encapsulated, label = "body" } = options;
  if (options.ciphertext.length > maxCiphertextBytes) throw failed();
  const secret = decapsulate(key, encapsulated);
  const body = deriveBodyKey({ secret, label, context, recipientDigest: key.publicKeyDigest, encapsulated });
  secret.fill(0);
  try {
    if (!sameSecret(body.commitment, options.commitment)) throw failed();
    const padded = unboxChunks(options.ciphertext, body.key);
    if (padded === null) throw failed();
    const plaintext = unpad(padded)?.slice();
    padded.fill(0);
    if (plaintext === undefined) throw failed();
    return plaintext;
  } finally {
    body.wipe();
  }
}

function decapsulate(key: SealingKey, encapsulated: Uint8Array): Uint8Array {
  try {
    return key.decapsulate(encapsulated);
  } catch (cause) {
    if (cause instanceof KeyError) throw failed();
    throw cause;
  }
}

function failed(): SealError {
  return new SealError("SEAL_OPEN_FAILED", "sealed body does not open");
}
