/** What can be wrong with a log, gravest first. The exit code of `audit verify` is 101 for the first and 108 for the last. */
export const FINDING_CODES = [
  /** An entry is not the one that was sealed, or one stands there that never was in the log. */
  "EDIT",
  /** Sealed entries are missing between others. */
  "DELETE",
  /** Entries stand in another order than they were sealed in. */
  "REORDER",
  /** The log ends before what a checkpoint or an anchor covers. */
  "TRUNCATED",
  /** The log is consistent in itself, but not with a head that the same keys signed before. */
  "FORK",
  /** A key epoch is missing between two others, or was never introduced, or lacks its final checkpoint. */
  "EPOCH-GAP",
  /** A checkpoint or succession is not signed by the keys that its place in the log asks for. */
  "KEY-EPOCH",
  /** Entries that no checkpoint and no anchor covers: nothing is known against them, nothing vouches for them. */
  "UNSEALED-TAIL",
] as const;

export type FindingCode = (typeof FINDING_CODES)[number];

export interface Finding {
  readonly code: FindingCode;
  /** Index of the first entry that it is about. */
  readonly index: number;
  /** One sentence for the auditor. */
  readonly says: string;
}

/** The order in which findings are listed: by index, for one index the graver first. */
export function byIndex(a: Finding, b: Finding): number {
  return a.index - b.index || FINDING_CODES.indexOf(a.code) - FINDING_CODES.indexOf(b.code);
}
