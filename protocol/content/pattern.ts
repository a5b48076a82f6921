import { ContentError } from "./errors.ts";
import { contentLimits } from "./limits.ts";
import { isSegment } from "./path.ts";

const oneSegment = "*";
const theRest = "**";
/** An account's path is zone/device/account: a shorter one names a zone or a device. */
export const accountSegments = 3;

/**
 * Segments of a grant's path pattern: as a path, with `*` for any one segment, and `**`, at the end only, for one or more.
 * Throws CONTENT_PATTERN_INVALID.
 */
export function parsePattern(text: string): readonly string[] {
  const segments = text.split("/");
  if (segments.length > contentLimits.pathSegments)
    throw invalidPattern(`${segments.length} segments, at most ${contentLimits.pathSegments}`);
  for (const [i, segment] of segments.entries()) {
    if (segment === theRest && i < segments.length - 1) throw invalidPattern("'**' stands at the end only");
    if (segment !== theRest && segment !== oneSegment && !isSegment(segment))
      throw invalidPattern(`segment ${i + 1} is neither '*', '**' nor [a-z0-9][a-z0-9._-]{0,62}`);
  }
  return segments;
}

/** True where {@link parsePattern} takes it. */
export function isPattern(text: string): boolean {
  try {
    parsePattern(text);
    return true;
  } catch (error) {
    if (error instanceof ContentError) return false;
    throw error;
  }
}

/** What a rule's pattern stands for: one that names a zone or a device covers all below it, `line-4` as `line-4/**`; others stay as they are. */
export function coveringPattern(text: string): string {
  const segments = text.split("/");
  return segments.length >= accountSegments || segments.at(-1) === theRest ? text : `${text}/${theRest}`;
}

/** True where the pattern's segments cover the path's; neither is checked again. */
export function patternMatches(pattern: readonly string[], path: readonly string[]): boolean {
  const open = pattern.at(-1) === theRest;
  const fixed = open ? pattern.slice(0, -1) : pattern;
  if (open ? path.length <= fixed.length : path.length !== fixed.length) return false;
  return fixed.every((segment, i) => segment === oneSegment || segment === path[i]);
}

function invalidPattern(why: string): ContentError {
  return new ContentError("CONTENT_PATTERN_INVALID", `not a path pattern: ${why}`, {
    hint: "Write a path with '*' for one segment or '**' at the end for all below, such as plant-1/*/operator or plant-1/**.",
  });
}
