import t from "tap";
import { bytesText, durationText, factLines } from "../../cli/commands/status-text.ts";

t.test("a fact is shown by the unit that its name ends with", async (t) => {
  const cases: [facts: object, lines: string[]][] = [
    [{ vaultLastHeardAtMs: 0 }, ["vaultLastHeardAt: 1970-01-01T00:00:00.000Z"]],
    [{ lastHeardMs: 3_600_000 }, ["lastHeard: 2 min ago"]],
    [{ silentS: 125, permitLeftS: 0, waitMs: 1500 }, ["silent: 2 min 5 s", "permitLeft: 0 s", "wait: 1 s"]],
    [{ freeBytes: 83_673_014_272, reserveBytes: 16 * 1024 * 1024 }, ["free: 78 GiB", "reserve: 16 MiB"]],
    [{ usedPart: 0.6907 }, ["used: 69 %"]],
    [
      { ready: true, requirePermit: false, pid: 7, tunnel: null },
      ["ready: yes", "requirePermit: no", "pid: 7", "tunnel: none"],
    ],
    [{ time: { lo: 0, hi: 1 } }, ["time: 1970-01-01T00:00:00Z to 1970-01-01T00:00:01Z"]],
    [{ time: { lo: 0, hi: null } }, ["time: not before 1970-01-01T00:00:00Z"]],
    [{ held: [], devices: ["a", "b"] }, ["held: none", "devices: a, b"]],
    [
      {
        checks: [
          { name: "store", ok: true, detail: "writes" },
          { name: "hop", ok: false, detail: "away" },
        ],
      },
      ["checks:", "  - store: ok, writes", "  - hop: RED, away"],
    ],
    [{ way: { way: "both", missing: null } }, ["way:", "  way: both", "  missing: none"]],
    [{ ACCOUNTS: 3, S: 4, Ms: 5 }, ["ACCOUNTS: 3", "S: 4", "Ms: 5"]],
  ];
  for (const [facts, lines] of cases)
    t.same(factLines(facts as Record<string, unknown>, { indent: "", nowMs: 3_720_000 }), lines);
});

t.test("durations and sizes at the edges of their units", async (t) => {
  t.same([0, 0.9, 59, 60, 3599, 3600, 86_399, 86_400, 90_061, 31_536_000].map(durationText), [
    "0 s",
    "0 s",
    "59 s",
    "1 min",
    "59 min 59 s",
    "1 h",
    "23 h 59 min",
    "1 d",
    "1 d 1 h",
    "365 d",
  ]);
  t.same([0, 1023, 1024, 1536, 1024 * 1024 - 1, 1024 * 1024, 11 * 1024 ** 3].map(bytesText), [
    "0 bytes",
    "1023 bytes",
    "1 KiB",
    "1.5 KiB",
    "1024 KiB",
    "1 MiB",
    "11 GiB",
  ]);
});
