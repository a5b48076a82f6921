/** How often the log is looked at while nothing is under way, ms. */
export const lookEveryMs = 1_000;

/** Leaves that one turn of the event loop reads and formats: well below a millisecond, for reads wait meanwhile. */
export const leavesATurn = 16;

/** Leaves of one write: what waits in memory for one collector is at most this, 64 x 10 KiB. */
export const leavesAWrite = 64;

/** A connection ends, so that the collector's own end proves what it took: after so many leaves, this long, or this much silence. */
export const mostUnproven = 8_192;
export const mostUnprovenMs = 30_000;
export const idleMs = 5_000;

/** The first of {@link mostUnproven} after a start or a failure: it doubles with each connection that was proven. */
export const leastUnproven = 64;

/** From dialling to a connection that stands, TLS included. */
export const dialMs = 20_000;

/** How long one write, or the collector's own end, may take. */
export const stalledMs = 30_000;

/** How often the kernel is asked whether the other machine has acknowledged what was sent, ms. */
export const acknowledgeMs = 50;

/** A PEM file of the configuration. */
export const maxPemBytes = 262_144;
