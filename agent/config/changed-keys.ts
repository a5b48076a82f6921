import { maxDetailLength } from "../../protocol/audit/index.ts";

/** A configuration as text, each scalar under its dotted key: what the next start compares its own with. */
export function configurationText(config: object): string {
  return JSON.stringify(Object.fromEntries(flat(config, "")));
}

/** The keys in which two {@link configurationText}s differ, without the values, as a leaf takes them. */
export function changedKeys(before: string, now: string): string {
  const [old, fresh] = [before, now].map((text) => JSON.parse(text) as Record<string, unknown>);
  const keys = new Set([...Object.keys(old ?? {}), ...Object.keys(fresh ?? {})]);
  const changed = [...keys].filter((key) => JSON.stringify(old?.[key]) !== JSON.stringify(fresh?.[key]));
  return changed.sort().join(" ").slice(0, maxDetailLength);
}

/** Every scalar under its dotted key. */
function flat(value: unknown, key: string): [string, unknown][] {
  if (typeof value !== "object" || value === null) return [[key, value ?? null]];
  return Object.entries(value).flatMap(([name, each]) => flat(each, key === "" ? name : `${key}.${name}`));
}
