/** zone/device/account. */
const pathSegments = 3;

/** Why a grant's pattern can never match an account, with one that may be meant; null where it can. The vault takes either. */
export function grantHint(pattern: string): string | null {
  const segments = pattern.split("/");
  const open = segments.at(-1) === "**";
  if (open ? segments.length <= pathSegments : segments.length === pathSegments) return null;
  const why = `warning: ${pattern} matches nothing: every path has three segments, zone/device/account`;
  if (segments.length > pathSegments) return why;
  const below = segments.at(-1) === "*" ? segments.slice(0, -1) : segments;
  return `${why}; for all below: ${[...below, "**"].join("/")}`;
}
