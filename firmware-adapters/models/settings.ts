import { maxSettingLength } from "./limits.ts";
import type { DeviceModel, SettingRule } from "./model.ts";

/** A device's settings with the model's defaults filled in, or everything that is wrong with them. */
export type SettingsResult =
  | { readonly settings: Readonly<Record<string, string>>; readonly problems: null }
  | { readonly settings: null; readonly problems: readonly string[] };

/** Checks `given` against the model's rules; each problem names the setting and what is allowed. */
export function resolveSettings(model: DeviceModel, given: Readonly<Record<string, string>>): SettingsResult {
  const problems: string[] = [];
  const settings: Record<string, string> = {};
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(model.settings, name))
      problems.push(`${name}: not a setting of ${model.name}, allowed: ${Object.keys(model.settings).join(", ")}`);
  }
  for (const [name, rule] of Object.entries(model.settings)) {
    const value = Object.hasOwn(given, name) ? given[name] : (rule.default ?? undefined);
    if (value === undefined) problems.push(`${name}: missing, ${allowedOf(rule)}`);
    else if (!allows(rule, value)) problems.push(`${name}: not allowed, ${allowedOf(rule)}`);
    else settings[name] = value;
  }
  return problems.length > 0 ? { settings: null, problems } : { settings, problems: null };
}

function allows(rule: SettingRule, value: string): boolean {
  if (value.length > maxSettingLength) return false;
  if (rule.oneOf !== null) return rule.oneOf.includes(value);
  if (rule.min === null && rule.max === null) return true;
  const number = Number(value);
  const canonical = Number.isSafeInteger(number) && String(number) === value;
  return canonical && number >= (rule.min ?? number) && number <= (rule.max ?? number);
}

function allowedOf(rule: SettingRule): string {
  if (rule.oneOf !== null) return `allowed: ${rule.oneOf.join(", ")}`;
  if (rule.min === null && rule.max === null) return `allowed: text up to ${maxSettingLength} characters`;
  return `allowed: integer from ${rule.min ?? "any"} to ${rule.max ?? "any"}`;
}
