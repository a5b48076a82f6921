/** A leaf's bytes: eight times what the largest of our events needs, far below the 65,535 that an entry bundle can hold. */
export const maxLeafBytes = 8192;

/** An actor's or subject's id, in characters: five path segments of 63 with their slashes are 319. */
export const maxIdLength = 400;

/** A text among a leaf's details, in characters: a version, a reason, an address, an Ed25519 signature in base64 (88). */
export const maxDetailLength = 256;

/** Details of one leaf: no action of ours has more than ten. */
export const maxDetails = 16;

/** A boot id, in characters: the kernel's is a UUID of 36. */
export const maxBootLength = 64;

/** An error code, in characters. */
export const maxCodeLength = 64;

/** Hashes in a tile and entries in a bundle; fixed by tlog-tiles. */
export const tileWidth = 256;

/** Height of the subtree over a tile: 2^8 hashes. */
export const tileHeight = 8;

/** A signed note: sixteen post-quantum cosignatures of 5 kB, which every reader must accept, fit. */
export const maxNoteBytes = 128 * 1024;

/** Signature lines of a note; every reader must accept sixteen. */
export const maxNoteSignatures = 64;

/** A log origin in bytes; ML-DSA cosignatures hold its length in one byte. */
export const maxOriginBytes = 255;

/** Hashes of a proof: two for each level of a tree of 2^53 leaves. */
export const maxProofHashes = 107;

/** Findings that one verification names; a log that is wholly rewritten needs no list of a million. */
export const maxFindings = 1000;

/** Notices that one verification tells of: a gap for each class and each full disk, and an archive now and then. */
export const maxNotices = 1000;
