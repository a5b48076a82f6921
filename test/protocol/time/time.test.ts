import t from "tap";
import {
  advance,
  type ClockSample,
  decodeTime,
  encodeTime,
  hearAnswer,
  hearSigned,
  mayUse,
  noTime,
  readTime,
  requireUse,
  type TimeState,
} from "../../../protocol/time/index.ts";

const day = 86_400_000;
/** 2026-03-01 12:00 UTC. */
const noonS = 1_772_366_400;
const noon = noonS * 1000;

function clock(sinceBootMs: number, changes: Partial<ClockSample> = {}): ClockSample {
  return { bootId: "boot-a", sinceBootMs, wallMs: 0, ...changes };
}

/** A node that heard noon in answer to its nonce, a second after asking. */
function tight(): TimeState {
  const start = clock(10_000);
  const asked = { bootId: "boot-a", sinceBootMs: 10_000 };
  return hearAnswer(noTime(start), clock(11_000), { issuedAtS: noonS, asked, snapshot: true }).state;
}

const none = { gapMs: 0, trusted: false };

t.test("without any signed time nothing is known, whatever the machine's clock says", (t) => {
  for (const wallMs of [0, noon, Date.UTC(2038, 0, 19, 3, 14, 8), Date.UTC(2100, 0, 1), -1]) {
    const time = readTime(noTime(clock(5)), clock(5, { wallMs }), { gapMs: day, trusted: false });
    t.same(time, { loMs: 0, hiMs: null, probableMs: wallMs === 0 ? 0 : null });
  }
  t.end();
});

t.test("a signed time raises lo, which then runs with the since-boot clock", (t) => {
  const heard = hearSigned(noTime(clock(100)), clock(200), noonS);
  t.same(readTime(heard, clock(200), none), { loMs: noon, hiMs: null, probableMs: null });
  t.equal(readTime(heard, clock(200 + day), none).loMs, noon + day, "a day, suspended or not");
  t.equal(readTime(heard, clock(0), none).loMs, noon, "a clock that goes back takes nothing away");
  t.equal(hearSigned(heard, clock(300), noonS - 86_400).loMs, noon + 100, "an older time changes nothing");
  t.end();
});

t.test("an answer to a nonce of this boot bounds the time from above too", (t) => {
  const state = tight();
  t.same([state.loMs, state.hiMs], [noon, noon + 1_000 + 1_000 + 1]);
  const later = readTime(state, clock(11_000 + day), none);
  t.same([later.loMs, later.hiMs], [noon + day, noon + day + 2_001 + 8_640], "hi runs a little faster: crystals do");
  const slow = hearAnswer(state, clock(11_000 + day), {
    issuedAtS: noonS + 86_390,
    asked: { bootId: "boot-a", sinceBootMs: 11_000 },
    snapshot: false,
  }).state;
  t.same([slow.loMs, slow.hiMs], [noon + day, noon + day + 10_641], "an answer that took a day tells nothing new");
  const otherBoot = hearAnswer(noTime(clock(0)), clock(50), {
    issuedAtS: noonS,
    asked: { bootId: "boot-before", sinceBootMs: 1 },
    snapshot: true,
  });
  t.same([otherBoot.state.loMs, otherBoot.state.hiMs, otherBoot.setBack], [noon, null, false]);
  t.end();
});

t.test("another boot keeps lo and opens hi; a process that starts again keeps both", (t) => {
  const stored = decodeTime(encodeTime(tight()));
  t.same(readTime(stored, clock(12_000), none), { loMs: noon + 1_000, hiMs: noon + 3_002, probableMs: null });
  t.same(readTime(stored, clock(500, { bootId: "boot-b" }), none), { loMs: noon + 500, hiMs: null, probableMs: null });
  t.same(advance(stored, clock(500, { bootId: "boot-b" })), {
    loMs: noon + 500,
    hiMs: null,
    bootId: "boot-b",
    sinceBootMs: 500,
  });
  t.end();
});

t.test("only a snapshot that answers a nonce sets lo back, and says so", (t) => {
  const ahead = hearSigned(noTime(clock(0)), clock(1_000), noonS + 10 * 365 * 86_400);
  const asked = { bootId: "boot-a", sinceBootMs: 1_000 };
  const delta = hearAnswer(ahead, clock(2_000), { issuedAtS: noonS, asked, snapshot: false });
  t.same([delta.setBack, delta.state.loMs > noon + day, delta.state.hiMs], [false, true, null]);
  const snapshot = hearAnswer(ahead, clock(2_000), { issuedAtS: noonS, asked, snapshot: true });
  t.same([snapshot.setBack, snapshot.state.loMs, snapshot.state.hiMs], [true, noon, noon + 2_001]);
  const drift = hearAnswer(tight(), clock(12_000), {
    issuedAtS: noonS - 50,
    asked: { bootId: "boot-a", sinceBootMs: 11_500 },
    snapshot: true,
  });
  t.same([drift.setBack, drift.state.loMs, drift.state.hiMs], [false, noon + 1_000, noon + 1_000], "a minute is drift");
  t.end();
});

t.test("a signed time beyond any date is refused", (t) => {
  const start = noTime(clock(0));
  t.equal(hearSigned(start, clock(0), 2 ** 40).loMs, 2 ** 40 * 1000);
  t.throws(() => hearSigned(start, clock(0), 2 ** 40 + 1), { code: "CLOCK_ABSURD" });
  t.end();
});

t.test("the machine's clock is probable within the gap above lo, or above lo where it is trusted", (t) => {
  const state = hearSigned(noTime(clock(0)), clock(0), noonS);
  const table: [wall: number, gapMs: number, trusted: boolean, probable: boolean][] = [
    [noon - 1, day, false, false],
    [noon, day, false, true],
    [noon + day, day, false, true],
    [noon + day + 1, day, false, false],
    [noon + 400 * day, day, true, true],
    [noon - 1, day, true, false],
    [0, day, true, false],
    [Date.UTC(2038, 0, 19, 3, 14, 8), day, false, false],
    [Date.UTC(2100, 0, 1), day, true, true],
  ];
  for (const [wallMs, gapMs, trusted, probable] of table) {
    const time = readTime(state, clock(0, { wallMs }), { gapMs, trusted });
    t.equal(time.probableMs, probable ? wallMs : null, `${wallMs - noon} ${gapMs} ${trusted}`);
  }
  const outside = readTime(tight(), clock(11_000, { wallMs: noon + 3_000 }), { gapMs: day, trusted: true });
  t.equal(outside.probableMs, null, "not above hi, even if trusted");
  t.end();
});

t.test("a window is open, shut or unknown; unknown names the clock", (t) => {
  const window = { notBefore: noonS, notAfter: noonS + 3_600 };
  const hour = 3_600_000;
  const table: [lo: number, hi: number | null, probable: number | null, forWindow: string, forLease: string][] = [
    [noon, noon, null, "yes", "yes"],
    [noon, noon + hour + 999, null, "yes", "yes"],
    [noon, noon + hour + 1_000, null, "clock-unknown", "clock-unknown"],
    [noon - 1, noon + 5, null, "clock-unknown", "clock-unknown"],
    [noon - 1, noon + 5, noon, "yes", "clock-unknown"],
    [noon - day, noon - 1, null, "not-yet", "not-yet"],
    [noon - day, null, null, "clock-unknown", "clock-unknown"],
    [noon - day, null, noon - 1, "not-yet", "clock-unknown"],
    [noon - day, null, noon + 5, "yes", "clock-unknown"],
    [noon - day, null, noon + day, "expired", "clock-unknown"],
    [noon + hour + 999, null, null, "clock-unknown", "clock-unknown"],
    [noon + hour + 1_000, null, null, "expired", "expired"],
    [noon + 10 * 365 * day, null, noon, "expired", "expired"],
    [0, null, null, "clock-unknown", "clock-unknown"],
  ];
  const codes: Record<string, string> = {
    "not-yet": "CLOCK_NOT_YET",
    expired: "CLOCK_EXPIRED",
    "clock-unknown": "CLOCK_UNKNOWN",
  };
  for (const [loMs, hiMs, probableMs, forWindow, forLease] of table) {
    const time = { loMs, hiMs, probableMs };
    const name = `${loMs - noon} to ${hiMs === null ? "open" : hiMs - noon}, probably ${probableMs}`;
    t.equal(mayUse(time, window, true), forWindow, name);
    t.equal(mayUse(time, window, false), forLease, `${name}, lease`);
    if (forWindow === "yes") t.doesNotThrow(() => requireUse(time, window, true));
    else t.throws(() => requireUse(time, window, true), { code: codes[forWindow], message: /clock/ });
  }
  t.end();
});

t.test("the machine's clock jumping about changes no answer that does not rest on it", (t) => {
  const window = { notBefore: noonS, notAfter: noonS + 3_600 };
  const walls = [0, noon - 2 * 3_600_000, noon + day, noon - day, noon + 10 * 365 * day, Date.UTC(2038, 0, 19, 3, 14, 8)];
  for (const wallMs of walls) {
    t.equal(mayUse(readTime(tight(), clock(60_000, { wallMs }), { gapMs: day, trusted: true }), window, true), "yes");
  }
  t.end();
});
