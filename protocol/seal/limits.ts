/** Plaintext bytes of one secretbox; a receiver holds one chunk more than it has verified. SPEC.md section 9. */
export const chunkBytes = 64 * 1024;

/** A plaintext is padded to a multiple of this many bytes, so that a length tells little about a password. */
export const paddingBytes = 256;

/** Ciphertext bytes that are sealed or opened at all: the carrier's limit for a body. */
export const maxCiphertextBytes = 64 * 1024 * 1024;

/** Bytes of an escrow blob: 100,000 candidates of about 160 bytes. */
export const maxEscrowBytes = 16 * 1024 * 1024;
