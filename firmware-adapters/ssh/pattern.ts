import { maxLineLength } from "./limits.ts";

/** True where the whole of `line` is `pattern`: without case, blanks at both ends aside, `*` for anything. Linear in time. */
export function matches(pattern: string, line: string): boolean {
  const text = line.trim().slice(0, maxLineLength).toLowerCase();
  const parts = pattern.trim().toLowerCase().split("*");
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (parts.length === 1) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** True where one of `patterns` matches. */
export function matchesAny(patterns: readonly string[], line: string): boolean {
  return patterns.some((pattern) => matches(pattern, line));
}
