/**
 * Which ways lead between a node and its vault, but for a stick now and then: both; `down`, a diode towards the segment, on which nothing
 * is ever acknowledged; `up`, a diode out of it, on which nothing is ever said to the node.
 */
export const ways = ["both", "down", "up"] as const;

export type Way = (typeof ways)[number];

/** What a way means for who reads a node's status; null where nothing is missing. */
export function missingAt(way: Way): string | null {
  if (way === "both") return null;
  if (way === "down")
    return "no report, acknowledgement or question leaves this segment: each account rotates as far as its pool goes, then waits for a stick out";
  return "no bundle or acknowledgement comes into this segment but by stick: reports are kept and folded, and each may be sent for ever";
}
