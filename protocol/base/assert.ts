/** A broken assumption of ours. It is a bug, so it is never caught and ends the process. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Crashes with `message` where `condition` does not hold. For our own mistakes only, never for input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Marks the branch that an exhaustive switch cannot reach. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable value ${String(value)}`);
}
