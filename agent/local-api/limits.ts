/** Bounds of the local API. */
export const apiLimits = {
  /** Request line and headers: a token, a path and what an HTTP library adds fit several times. */
  headerBytes: 8 * 1024,
  /** A path has at most 5 segments of 63 bytes; the rest is a query. */
  urlBytes: 1024,
  /** Connections of one listener: the applications of one machine or segment, each with a pool. */
  connections: 1024,
  /** A slow client may hold a connection this long without finishing its headers. */
  headersTimeoutMs: 10_000,
  /** No call takes a body, so no request takes longer than its headers and a little. */
  requestTimeoutMs: 15_000,
  /** Between two requests of one connection; longer than usual client pools keep theirs. */
  keepAliveTimeoutMs: 65_000,
  /** How often the timeouts above are looked at. */
  checkIntervalMs: 5_000,
  /** Sealed answers kept ready; above it the least recently read is made again from the store. */
  cachedAnswers: 4096,
  /** Grant decisions kept per application; above it they are forgotten together. */
  cachedGrants: 8192,
  /** Applications for whom one answer keeps the event of their reads; above it they are forgotten together. */
  cachedReaders: 64,
  /** Answers that may wait for the end of a turn of the event loop: above it they are written at once, so that none waits for long. */
  answersOfATurn: 64,
  /** How long a read may wait for another version: shorter than what stands between usually lets a connection rest. */
  waitMs: 60_000,
  /** Reads that wait at once: a quarter of a listener's connections, so that others are always let in. */
  waiters: 256,
  /** Of one application: a path each for a large one, and room for others beside it. */
  waitersPerApplication: 64,
  /** A token of ours has 46 characters; a longer one is looked up each time. */
  rememberedTokenBytes: 128,
} as const;
