/** A place in a stream. */
interface Place {
  readonly epoch: number;
  readonly seq: number;
}

/** Below zero where `a` comes before `b`: by epoch, then by number. */
export function comparePlace(a: Place, b: Place): number {
  return a.epoch - b.epoch || a.seq - b.seq;
}
