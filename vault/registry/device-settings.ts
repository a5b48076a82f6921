import { contentLimits } from "../../protocol/content/index.ts";
import type { WeekWindow } from "../../protocol/time/index.ts";
import type { DeviceRow } from "../store/index.ts";
import { Problems } from "./codes.ts";

/** A device's settings as its row keeps them: JSON of [key, value], by key, so that equal settings are equal texts. */
export function settingsText(settings: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A device's maintenance windows as its row keeps them. */
export function windowsText(windows: readonly WeekWindow[]): string {
  return JSON.stringify(windows.map(({ days, startMinute, minutes }) => [days, startMinute, minutes]));
}

/** Inverse of {@link windowsText}. */
export function windowsOf(device: Pick<DeviceRow, "windows">): WeekWindow[] {
  const rows = JSON.parse(device.windows) as [number, number, number][];
  return rows.map(([days, startMinute, minutes]) => ({ days, startMinute, minutes }));
}

/** Throws REGISTRY_INVALID where there are more than an entry carries. */
export function refuseTooManySettings(device: string, settings: Readonly<Record<string, string>>): void {
  const count = Object.keys(settings).length;
  const problems = new Problems();
  if (count > contentLimits.settings) problems.add("settings", `${count} entries`, `at most ${contentLimits.settings}`);
  problems.refuse(`device ${device}`);
}
