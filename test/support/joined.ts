/** What a join over a wire made; only one over media may have to wait. */
export function joinedNow<T>(member: T | null): T {
  if (member === null) throw new Error("the join waits for a medium");
  return member;
}
