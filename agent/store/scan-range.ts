import type { ScanOptions } from "./store.ts";

/** Longest id of a row, bytes. */
export const maxIdBytes = 64;
/** Above every id. */
const aboveAll = new Uint8Array(maxIdBytes + 1).fill(0xff);

/** The lowest and highest id of a scan, both inclusive. */
export function rangeOf(options: ScanOptions): { low: Uint8Array; high: Uint8Array } {
  const prefix = options.prefix ?? new Uint8Array(0);
  const highest = new Uint8Array(aboveAll);
  highest.set(prefix);
  let low: Uint8Array = prefix;
  let high: Uint8Array = highest;
  if (options.from !== undefined && options.reverse && Buffer.compare(options.from, high) < 0) high = options.from;
  if (options.from !== undefined && !options.reverse && Buffer.compare(options.from, low) > 0) low = options.from;
  return { low, high };
}
