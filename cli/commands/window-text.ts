import type { WeekWindow } from "../../protocol/time/index.ts";
import { CliError } from "../frame/index.ts";

const dayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
const minutesPerDay = 1_440;
const minutesPerWeek = 7 * minutesPerDay;

/** `none` takes every window away; else `Mon-Fri 22:00-04:00`, `Sat,Sun 00:00-24:00` or `Fri 20:00-Mon 06:00`. Throws CLI_USAGE. */
export function windowsOfTexts(texts: readonly string[]): WeekWindow[] {
  if (texts.length === 1 && texts[0] === "none") return [];
  return texts.map(windowOfText);
}

function windowOfText(text: string): WeekWindow {
  const [, days = "", from = "", endDay, to = ""] =
    /^([A-Za-z,-]+)\s+(\d\d:\d\d)\s*-\s*(?:([A-Za-z]{3})\s+)?(\d\d:\d\d)$/.exec(text.trim()) ?? [];
  const begins = daysOf(days);
  const startMinute = minuteOf(from);
  const end = minuteOf(to);
  if (begins === null || startMinute === null || end === null || startMinute === minutesPerDay) throw unreadable(text);
  if (endDay === undefined) {
    const minutes = end > startMinute ? end - startMinute : end + minutesPerDay - startMinute;
    return { days: bits(begins), startMinute, minutes };
  }
  const last = dayOf(endDay);
  const [first, ...more] = begins;
  if (last === null || first === undefined || more.length > 0) throw unreadable(text);
  const span = (last - first) * minutesPerDay + end - startMinute;
  return { days: bits(begins), startMinute, minutes: span > 0 ? span : span + minutesPerWeek };
}

/** A window as {@link windowsOfTexts} reads it. */
export function windowText({ days, startMinute, minutes }: WeekWindow): string {
  const begins = dayNames.flatMap((name, day) => ((days >> day) & 1 ? [{ name, day }] : []));
  const end = startMinute + minutes;
  const single = begins.length === 1 ? begins[0]?.day : undefined;
  const overDays = minutes > minutesPerDay && single !== undefined;
  const endDay = overDays ? `${dayNames[(single + Math.floor(end / minutesPerDay)) % 7]} ` : "";
  return `${daysText(begins.map(({ day }) => day))} ${clockText(startMinute)}-${endDay}${clockText(end % minutesPerDay)}`;
}

/** Days that follow one another as a range. */
function daysText(days: readonly number[]): string {
  const runs: number[][] = [];
  for (const day of days) {
    const last = runs.at(-1);
    if (last !== undefined && last.at(-1) === day - 1) last.push(day);
    else runs.push([day]);
  }
  const name = (day: number | undefined) => dayNames[day ?? 0] ?? "";
  return runs.map((run) => (run.length === 1 ? name(run[0]) : `${name(run[0])}-${name(run.at(-1))}`)).join(",");
}

function clockText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

function daysOf(text: string): number[] | null {
  if (text.toLowerCase() === "daily") return dayNames.map((_, day) => day);
  const found: number[] = [];
  for (const part of text.split(",")) {
    const [from = "", to = from, ...more] = part.split("-");
    const [first, last] = [dayOf(from), dayOf(to)];
    if (first === null || last === null || more.length > 0) return null;
    for (let day = first; ; day = (day + 1) % 7) {
      found.push(day);
      if (day === last) break;
    }
  }
  return found;
}

function dayOf(text: string): number | null {
  const at = dayNames.findIndex((name) => name.toLowerCase() === text.toLowerCase());
  return at < 0 ? null : at;
}

function minuteOf(text: string): number | null {
  const [hours = 99, minutes = 99] = text.split(":").map(Number);
  const minute = hours * 60 + minutes;
  return minutes < 60 && minute <= minutesPerDay ? minute : null;
}

function bits(days: readonly number[]): number {
  return days.reduce((sum, day) => sum | (1 << day), 0);
}

/** A window without a time zone would be meant in some zone all the same, and hardly in the right one. Throws CLI_USAGE. */
export function requireTimeZone(windows: readonly unknown[], timeZone: string | null): void {
  if (windows.length > 0 && timeZone === null)
    throw new CliError(
      "CLI_USAGE",
      "--window needs --time-zone, such as Europe/Berlin or UTC: the device's local time is meant",
    );
}

function unreadable(text: string): CliError {
  return new CliError("CLI_USAGE", `--window: '${text}' is none`, {
    hint: "Write 'Mon-Fri 22:00-04:00', 'Sat,Sun 00:00-24:00', 'daily 01:00-05:00', 'Fri 20:00-Mon 06:00', or none.",
  });
}
