import { createSecretKey, hkdfSync } from "node:crypto";
import { concat, sha256, utf8 } from "../base/index.ts";

/** What the sealed bytes are: it separates the keys of a body from those of an escrow blob. */
export type SealLabel = "body" | "escrow";

/** Everything that a body key is bound to. */
export interface BodyKeyInput {
  /** KEM secret, 32 bytes. */
  readonly secret: Uint8Array;
  readonly label: SealLabel;
  readonly context: Uint8Array;
  /** SHA-256 of the recipient's public key, 32 bytes. */
  readonly recipientDigest: Uint8Array;
  readonly encapsulated: Uint8Array;
}

const suite = 1;
const empty = new Uint8Array(0);

/**
 * The secretbox key and its commitment, 32 bytes each. The commitment makes the ciphertext belong to one key: Poly1305 alone lets
 * somebody make one ciphertext that opens under two. `wipe` clears the key.
 */
export function deriveBodyKey(input: BodyKeyInput): { key: Uint8Array; commitment: Uint8Array; wipe(): void } {
  const info = concat(
    utf8(`tidegate/1 ${input.label}`),
    Uint8Array.of(0, suite),
    sha256(input.context),
    input.recipientDigest,
    sha256(input.encapsulated),
  );
  // As a key object: from bytes the runtime makes one too, on a way that takes twice as long.
  const derived = new Uint8Array(hkdfSync("sha256", createSecretKey(input.secret), empty, info, 64));
  return { key: derived.subarray(0, 32), commitment: derived.slice(32), wipe: () => void derived.fill(0) };
}
