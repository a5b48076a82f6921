const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Bounds of bundles and streams; SPEC.md states each as a number that other implementations keep too. */
export const bundleLimits = {
  /** One encoded entry. A custom model is the largest thing that travels, and the published ones stay under 16 KiB. */
  entryBytes: 64 * kibibyte,
  /** Entries of one recipient: twenty thousand accounts with current, pool and descriptions. */
  entries: 100_000,
  /** A body before sealing: a carrier's 64 MiB of sealed body less its tags (16 bytes in each 64 KiB) and padding. */
  plainBodyBytes: 64 * mebibyte - 32 * kibibyte,
  /** Facts in one report; a longer outage spreads over several reports. */
  facts: 4096,
  /** One fact's payload; none carries a value, so none is long. */
  factBytes: 4 * kibibyte,
  /** Candidates of one node sealed to the recovery key: what protocol/seal makes at most. */
  escrowBytes: 16 * mebibyte,
  /** Hashes of a consistency proof: twice the height of a tree of 2^53 leaves is never needed, 64 is. */
  proofHashes: 64,
  /** What a node says it can do. */
  capabilities: 64,
  /** One capability's text in bytes. */
  capabilityBytes: 64,
  /** Nonces of the recipient that one header answers. */
  answers: 8,
  /** Own nonces that are remembered, so that an answer which took the long way still counts as heard. */
  pastNonces: 64,
  /** Ids remembered for telling a repeated item from a fork. */
  recentIds: 256,
  /** Items that arrived ahead of a gap. Beyond it, a snapshot is cheaper than waiting. */
  heldItems: 64,
  /** Bytes of the items ahead of a gap; they lie on the node's disk. */
  heldBytes: 16 * mebibyte,
  /** Issued items without an acknowledgement. A sender folds them behind a snapshot long before. */
  unacknowledged: 1024,
} as const;
