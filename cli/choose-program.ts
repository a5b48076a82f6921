const nodes = ["vault", "gateway", "edge"] as const;

/**
 * Which program these words need. A node that starts has no time to load the other commands and to describe them to itself: it is a
 * program of its own.
 */
export function chooseProgram([area, action]: readonly string[]): "all" | (typeof nodes)[number] {
  return (action === "run" ? nodes.find((node) => node === area) : undefined) ?? "all";
}
