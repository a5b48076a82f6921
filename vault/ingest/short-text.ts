import { maxLeafTextUnits } from "./limits.ts";

/** The beginning of a text that a node sent, as a leaf takes it: cut in the middle of a character it would be no text any more. */
export function shortText(text: string): string {
  return text.slice(0, maxLeafTextUnits).toWellFormed();
}
