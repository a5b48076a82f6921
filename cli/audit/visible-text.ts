/** Characters that steer text instead of being text: controls, formats such as the ones that turn its direction, and what is no character. */
const steering = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;

/** `text` with each character that would hide or turn something shown by its number: names in a log may hold anything. */
export function visible(text: string): string {
  return text.replace(
    steering,
    (unit) => `\u27e8U+${(unit.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`,
  );
}

/** `text` as it may stand in a page's text or between the quotes of an attribute. */
export function escaped(text: string): string {
  return visible(text).replace(/[&<>"']/g, (unit) => `&#${unit.codePointAt(0) ?? 0};`);
}
