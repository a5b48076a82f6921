const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Serial of a node's first audit log. */
export const firstLog = 0;

/** Bounds and paces of a joined node. */
export const nodeLimits = {
  /** Facts are gathered this long before a report is sealed: one rotation writes several within it. */
  reportDelayMs: 50,
  /** A quiet node says so this often, with a new nonce: a quarter of the 24 h after which silence is an alarm. */
  heartbeatMs: 6 * hourMs,
  /** Unacknowledged reports after which the next one is a snapshot that folds them. */
  foldReportsAt: 64,
  /** The time is stored at least this often, so that a power cut costs no more of it. */
  storeTimeMs: 5 * minuteMs,
  /** One leaf a code in this time for refused bundles: who floods a node must not fill its log. */
  refusalLeafMs: minuteMs,
  /** How often it is asked whether the vault has been silent for too long. */
  silenceEveryMs: minuteMs,
  /** Rows of one scan; tables are read in steps of it: some milliseconds, for which a read may wait while a node starts. */
  scanRows: 256,
} as const;
