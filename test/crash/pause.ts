/** Resolves after `delayMs`: the rig looks at processes that it is no part of. */
export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
