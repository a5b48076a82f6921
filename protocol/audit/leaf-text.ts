const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const special = /[^\x20\x21\x23-\x5b\x5d-\x7e]/g;

/**
 * `text` as a JSON string in printable ASCII: quote and backslash take a backslash, every other UTF-16 unit outside U+0020 to
 * U+007E becomes `\uxxxx` in lower case. So a leaf has one spelling, one byte a character, and cannot drive a terminal.
 */
export function quote(text: string): string {
  return plain.test(text) ? `"${text}"` : `"${text.replace(special, escapeUnit)}"`;
}

function escapeUnit(unit: string): string {
  if (unit === '"' || unit === "\\") return `\\${unit}`;
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
