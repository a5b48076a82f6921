import { ContentError } from "./errors.ts";
import { contentLimits } from "./limits.ts";

const segmentForm = new RegExp(`^[a-z0-9][a-z0-9._-]{0,${contentLimits.segmentBytes - 1}}$`);

/** Segments of an account's path `zone/device/account`: 1 to 5, each `[a-z0-9][a-z0-9._-]{0,62}`. Throws CONTENT_PATH_INVALID. */
export function parsePath(text: string): readonly string[] {
  const segments = text.split("/");
  if (segments.length > contentLimits.pathSegments)
    throw invalidPath(`${segments.length} segments, at most ${contentLimits.pathSegments}`);
  const wrong = segments.findIndex((segment) => !isSegment(segment));
  if (wrong >= 0) throw invalidPath(`segment ${wrong + 1} is not [a-z0-9][a-z0-9._-]{0,62}`);
  return segments;
}

/** True where {@link parsePath} would not throw. */
export function isPath(text: string): boolean {
  const segments = text.split("/");
  return segments.length <= contentLimits.pathSegments && segments.every(isSegment);
}

/** True for one segment of a path; zones and the short names of devices and accounts are such. */
export function isSegment(text: string): boolean {
  return segmentForm.test(text);
}

/** The text itself where it is one segment. Throws CONTENT_PATH_INVALID. */
export function parseSegment(text: string): string {
  if (!isSegment(text)) throw invalidPath("one segment [a-z0-9][a-z0-9._-]{0,62} is due");
  return text;
}

function invalidPath(why: string): ContentError {
  return new ContentError("CONTENT_PATH_INVALID", `not a path: ${why}`, {
    hint: "A path is zone/device/account in lower-case letters, digits, '.', '_' and '-'.",
  });
}
