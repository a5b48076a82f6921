import { hash } from "node:crypto";
import t from "tap";
import { ApplicationTable } from "../../agent/local-api/applications.ts";
import type { TimeInterval } from "../../protocol/time/index.ts";

const second = 1000;
const window = { notBefore: 1_000, notAfter: 2_000 };
const table = new ApplicationTable([
  {
    id: "00".repeat(16),
    name: "technician",
    tokenHash: hash("sha256", "token", "buffer"),
    grants: ["z/own/*"],
    leases: [{ pattern: "z/lent/**", window }],
    person: true,
  },
]);

t.test("a lease grants within its window, and only where the clock is sure of it", async (t) => {
  const application = table.authenticate("token");
  const times: [what: string, time: TimeInterval, leased: boolean][] = [
    ["inside", { loMs: 1_000 * second, hiMs: 2_000 * second + 999, probableMs: null }, true],
    ["a second before", { loMs: 998 * second, hiMs: 999 * second, probableMs: null }, false],
    ["a second after", { loMs: 2_001 * second, hiMs: 2_002 * second, probableMs: null }, false],
    ["its end may have come", { loMs: 1_500 * second, hiMs: 2_001 * second, probableMs: null }, false],
    ["its begin may not have come", { loMs: 999 * second, hiMs: 1_500 * second, probableMs: null }, false],
    ["no upper bound", { loMs: 1_500 * second, hiMs: null, probableMs: null }, false],
    ["only probably inside", { loMs: 0, hiMs: null, probableMs: 1_500 * second }, false],
  ];
  for (const [what, time, leased] of times) {
    t.equal(
      application?.mayRead("z/lent/pump/operator", () => time),
      leased,
      what,
    );
    t.equal(
      application?.mayRead("z/own/operator", () => time),
      true,
      `${what}: what is granted needs no clock`,
    );
    t.equal(
      application?.mayRead("z/other/operator", () => time),
      false,
    );
    t.equal(
      application?.mayRead("z/lent/../own", () => time),
      false,
      "no path at all",
    );
  }
});
