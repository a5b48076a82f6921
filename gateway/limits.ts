const mebibyte = 1024 * 1024;

/** Bounds of a gateway. */
export const gatewayLimits = {
  /** Items of one edge in one direction: as many as a sender leaves unacknowledged. */
  mailboxItems: 1024,
  /** Bytes of one edge in one direction: a full snapshot of 10,000 accounts and a year of deltas. */
  mailboxBytes: 64 * mebibyte,
  /** All mailboxes together, unless the configuration says less or more. */
  totalBytes: 2048 * mebibyte,
  /** Edges that one gateway keeps mailboxes for. */
  edges: 10_000,
  /** Joins that wait for the vault at a time: a crew that sets up a plant. */
  joins: 64,
  /** How long a join waits for the vault's answer; the joining side waits ten minutes. */
  joinMs: 540_000,
  /** Refused join requests that are remembered, so that one that comes again is answered; at most as many as the courier remembers. */
  joinsRefused: 1024,
  /** Items looked through for one request of a tunnel. */
  scanItems: 256,
} as const;

/** Versions read by persons that were told to the vault; one that was forgotten is told again, which changes nothing. */
export const personReadsRemembered = 4_096;
