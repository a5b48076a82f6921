import t from "tap";
import { isTimeZone, type TimeInterval, WeekCalendar, type WeekWindow } from "../../../protocol/time/index.ts";

const minute = 60_000;
const hour = 60 * minute;
const daily = 0b111_1111;
const workdays = 0b001_1111;

const at = (text: string) => Date.parse(text);
const sure = (text: string, spreadMs = 0): TimeInterval => ({ loMs: at(text), hiMs: at(text) + spreadMs, probableMs: null });
const text = (ms: number) => new Date(ms).toISOString().replace(":00.000Z", "Z");

/** Openings that touch the two days from `day` on. */
function openings(windows: readonly WeekWindow[], timeZone: string, day: string): string[] {
  const from = at(`${day}T00:00Z`);
  return new WeekCalendar(windows, timeZone)
    .openings(from)
    .filter(({ fromMs, toMs }) => toMs > from && fromMs < from + 48 * hour)
    .map(({ fromMs, toMs }) => `${text(fromMs)} ${text(toMs)}`);
}

t.test(
  "a window is meant in the device's local time, over midnight, the week's end and the changes of the clock",
  async (t) => {
    const night = (days: number): WeekWindow => ({ days, startMinute: 22 * 60, minutes: 6 * 60 });
    const cases: [what: string, windows: readonly WeekWindow[], zone: string, day: string, openings: readonly string[]][] = [
      [
        "summer",
        [night(workdays)],
        "Europe/Berlin",
        "2026-07-07",
        ["2026-07-06T20:00Z 2026-07-07T02:00Z", "2026-07-07T20:00Z 2026-07-08T02:00Z", "2026-07-08T20:00Z 2026-07-09T02:00Z"],
      ],
      [
        "the night of Friday ends on Saturday, and Saturday has none",
        [night(workdays)],
        "UTC",
        "2026-07-11",
        ["2026-07-10T22:00Z 2026-07-11T04:00Z"],
      ],
      ["over the week's end", [night(0b100_0000)], "UTC", "2026-07-12", ["2026-07-12T22:00Z 2026-07-13T04:00Z"]],
      [
        "from Friday evening to Monday morning",
        [{ days: 0b001_0000, startMinute: 20 * 60, minutes: 58 * 60 }],
        "UTC",
        "2026-07-11",
        ["2026-07-10T20:00Z 2026-07-13T06:00Z"],
      ],
      [
        "put forward: the night is an hour shorter",
        [night(daily)],
        "Europe/Berlin",
        "2026-03-28",
        ["2026-03-27T21:00Z 2026-03-28T03:00Z", "2026-03-28T21:00Z 2026-03-29T02:00Z", "2026-03-29T20:00Z 2026-03-30T02:00Z"],
      ],
      [
        "put back: the night is an hour longer",
        [night(daily)],
        "Europe/Berlin",
        "2026-10-24",
        ["2026-10-23T20:00Z 2026-10-24T02:00Z", "2026-10-24T20:00Z 2026-10-25T03:00Z", "2026-10-25T21:00Z 2026-10-26T03:00Z"],
      ],
      [
        "begins in the gap",
        [{ days: 0b100_0000, startMinute: 150, minutes: 90 }],
        "Europe/Berlin",
        "2026-03-29",
        ["2026-03-29T01:00Z 2026-03-29T02:00Z"],
      ],
      [
        "ends in the gap",
        [{ days: 0b100_0000, startMinute: 90, minutes: 60 }],
        "Europe/Berlin",
        "2026-03-29",
        ["2026-03-29T00:30Z 2026-03-29T01:00Z"],
      ],
      ["lies in the gap as a whole", [{ days: 0b100_0000, startMinute: 130, minutes: 30 }], "Europe/Berlin", "2026-03-29", []],
      [
        "in the hour that comes twice: the first time only",
        [{ days: 0b100_0000, startMinute: 130, minutes: 30 }],
        "Europe/Berlin",
        "2026-10-25",
        ["2026-10-25T00:10Z 2026-10-25T00:40Z"],
      ],
      [
        "over both of the hour that comes twice",
        [{ days: 0b100_0000, startMinute: 90, minutes: 120 }],
        "Europe/Berlin",
        "2026-10-25",
        ["2026-10-24T23:30Z 2026-10-25T02:30Z"],
      ],
      [
        "a change of half an hour",
        [{ days: 0b100_0000, startMinute: 90, minutes: 60 }],
        "Australia/Lord_Howe",
        "2026-10-03",
        ["2026-10-03T15:00Z 2026-10-03T15:30Z"],
      ],
      ["a day that was left out", [{ days: 0b001_0000, startMinute: 0, minutes: 1440 }], "Pacific/Apia", "2011-12-29", []],
      [
        "what overlaps or touches is one",
        [
          { days: daily, startMinute: 60, minutes: 60 },
          { days: daily, startMinute: 90, minutes: 60 },
          { days: daily, startMinute: 150, minutes: 30 },
        ],
        "UTC",
        "2026-07-07",
        ["2026-07-07T01:00Z 2026-07-07T03:00Z", "2026-07-08T01:00Z 2026-07-08T03:00Z"],
      ],
    ];
    for (const [what, windows, zone, day, expected] of cases) t.same(openings(windows, zone, day), expected, what);
  },
);

t.test("a window begins and ends at the first moment at which the wall shows its time or a later one", async (t) => {
  const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "UTC"];
  const changes = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-09-27", "2026-10-04", "2026-10-25", "2026-11-01"];
  const wrong: string[] = [];
  for (const zone of zones) {
    const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
    for (const day of changes) {
      const from = at(`${day}T00:00Z`) - 30 * hour;
      const walls = Array.from({ length: 72 * 4 }, (_, i) => format.format(from + i * 15 * minute));
      for (let startMinute = 0; startMinute < 1440; startMinute += 45) {
        const wall = `${day} ${String(Math.floor(startMinute / 60)).padStart(2, "0")}:${String(startMinute % 60).padStart(2, "0")}`;
        const first = from + walls.findIndex((shown) => shown >= wall) * 15 * minute;
        const weekday = (new Date(`${day}T00:00Z`).getUTCDay() + 6) % 7;
        const found = new WeekCalendar([{ days: 1 << weekday, startMinute, minutes: 1440 }], zone).openings(from);
        if (!found.some(({ fromMs }) => fromMs === first)) wrong.push(`${zone} ${wall}: not ${text(first)}`);
      }
    }
  }
  t.same(wrong, []);
});

t.test(
  "the interval of the clock must lie inside as a whole; where it does not, the machine's own clock may decide",
  async (t) => {
    const calendar = new WeekCalendar([{ days: daily, startMinute: 22 * 60, minutes: 360 }], "Europe/Berlin");
    const kind = (time: TimeInterval) => calendar.judge(time).kind;
    const begins = "2026-07-07T20:00:00Z";
    const ends = "2026-07-08T02:00:00Z";
    const probable = (time: TimeInterval, moment: string): TimeInterval => ({ ...time, probableMs: at(moment) });
    const open = { loMs: 0, hiMs: null, probableMs: null };
    const cases: [what: string, time: TimeInterval, kind: string][] = [
      ["its first moment", sure(begins), "open"],
      ["a moment before", { loMs: at(begins) - 1, hiMs: at(begins) - 1, probableMs: null }, "closed"],
      ["its last moment", { loMs: at(ends) - 1, hiMs: at(ends) - 1, probableMs: null }, "open"],
      ["its end", sure(ends), "closed"],
      ["an interval from its first to its last moment", sure(begins, 6 * hour - 1), "open"],
      ["an interval that reaches its end", sure(begins, 6 * hour), "clock-unknown"],
      ["an interval that begins before it", { loMs: at(begins) - 1, hiMs: at(begins), probableMs: null }, "clock-unknown"],
      ["an interval of days", sure(begins, 72 * hour), "clock-unknown"],
      ["no upper bound", { ...sure(begins), hiMs: null }, "clock-unknown"],
      ["no time at all", open, "clock-unknown"],
      ["no upper bound, a probable clock inside", probable({ ...sure(begins), hiMs: null }, begins), "open"],
      ["no upper bound, a probable clock outside", probable({ ...sure(begins), hiMs: null }, ends), "closed"],
      ["over its end, a probable clock inside", probable(sure(begins, 6 * hour), begins), "open"],
      ["over its end, a probable clock behind it", probable(sure(begins, 6 * hour), ends), "closed"],
    ];
    for (const [what, time, expected] of cases) t.equal(kind(time), expected, what);
    t.same(calendar.judge(sure("2026-07-07T21:00:00Z", minute)), {
      kind: "open",
      leftMs: 5 * hour - minute,
      sinceMs: hour + minute,
    });
    t.same(calendar.judge(sure("2026-07-07T19:00:00Z", minute)), { kind: "closed", opensInMs: hour });
    t.match(new WeekCalendar([], "Nowhere/Land").judge(open), { kind: "open" }, "without windows it is always open");
    t.equal(
      new WeekCalendar([{ days: 1, startMinute: 0, minutes: 1 }], "Nowhere/Land").judge(sure(begins)).kind,
      "clock-unknown",
    );
    t.same(["UTC", "Europe/Berlin", "Nowhere/Land", ""].map(isTimeZone), [true, true, false, false]);
  },
);
