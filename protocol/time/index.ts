export { CLOCK_CODES, ClockError } from "./errors.ts";
export {
  mayUse,
  readTime,
  requireUse,
  type TimeInterval,
  type UseWindow,
  type WallPolicy,
  type WindowAnswer,
} from "./interval.ts";
export {
  advance,
  type ClockSample,
  decodeTime,
  encodeTime,
  hearAnswer,
  hearSigned,
  noTime,
  type TimeAnswer,
  type TimeState,
} from "./time-state.ts";
export { isTimeZone, type Opening, type Openness, WeekCalendar, type WeekWindow } from "./week-windows.ts";
