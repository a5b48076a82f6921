import type { Clock } from "../seams/index.ts";

/** The clock that runs through suspend is asked this often; between, the cheap monotonic one fills in. */
const sampleEveryMs = 1000;

/**
 * Since-boot milliseconds for the hot path: asking the system's own clock reads a file each time (15 µs), which would be half of a
 * read's cost. After a suspend the answer may lag for a second.
 */
export function coarseClock(clock: Clock): () => number {
  let sampledAt = performance.now();
  let sample = clock.sinceBootMs();
  return () => {
    const now = performance.now();
    if (now - sampledAt >= sampleEveryMs) {
      sampledAt = now;
      sample = clock.sinceBootMs();
    }
    return Math.round(sample + now - sampledAt);
  };
}
