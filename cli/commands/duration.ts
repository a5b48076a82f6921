const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds of a time such as 90s, 30m, 2h or 1d, or null where it is none. */
export function secondsOf(text: string): number | null {
  const [, digits, unit] = /^([1-9][0-9]{0,8})([smhd])$/.exec(text) ?? [];
  return digits === undefined || unit === undefined ? null : Number(digits) * (secondsIn[unit] ?? 1);
}
