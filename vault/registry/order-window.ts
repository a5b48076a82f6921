import { WeekCalendar } from "../../protocol/time/index.ts";
import type { DeviceRow } from "../store/index.ts";
import { windowsOf } from "./device-settings.ts";
import { usualOrderS } from "./limits.ts";

/** When rotations may begin on the device, milliseconds since 1970: the opening that is now, or the next one; null without windows. */
export function nextOpening(
  device: Pick<DeviceRow, "windows" | "time_zone">,
  nowMs: number,
): { fromMs: number; toMs: number } | null {
  const calendar = new WeekCalendar(windowsOf(device), device.time_zone);
  return calendar.openings(nowMs).find(({ toMs }) => toMs > nowMs) ?? null;
}

/** Seconds that a rotation's order holds unless somebody says otherwise: at least to the end of the opening that comes next. */
export function usualWithinS(device: Pick<DeviceRow, "windows" | "time_zone">, nowMs: number): number {
  const opening = nextOpening(device, nowMs);
  return opening === null ? usualOrderS : Math.max(usualOrderS, Math.ceil((opening.toMs - nowMs) / 1000));
}
