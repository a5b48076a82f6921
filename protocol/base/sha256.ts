import { hash } from "node:crypto";

/** Bytes of a SHA-256 digest. */
const sha256Length = 32;

const scratch = Buffer.alloc(sha256Length);

/** SHA-256 of `bytes`, 32 bytes. For what may be public: the digest passes through a string, which nobody can wipe. */
export function sha256(bytes: Uint8Array): Uint8Array {
  scratch.write(sha256Text(bytes), 0, sha256Length, "latin1");
  return new Uint8Array(scratch);
}

/**
 * {@link sha256} as one character a byte, for who writes it elsewhere. The runtime's one-shot hash takes half the time so: the buffer
 * that it else makes for each digest costs more than hashing a small message.
 */
export function sha256Text(bytes: Uint8Array): string {
  return hash("sha256", bytes, "binary");
}
