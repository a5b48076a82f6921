/** Control characters, line separators, and what turns the direction of text around. */
const unsafe = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** `text` with everything that could end a line or drive a terminal as `\uxxxx`, the spelling that it has in the leaf. */
export function visible(text: string): string {
  return text.replace(unsafe, escapeUnit);
}

/** `json` in ASCII: what is not printable can only stand inside its strings, where `\uxxxx` says the same. */
export function asciiJson(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, escapeUnit);
}

/** The first `most` UTF-16 units, and never half a character. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = /[\ud800-\udbff]/.test(text.charAt(most - 1)) ? most - 1 : most;
  return text.slice(0, end);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
