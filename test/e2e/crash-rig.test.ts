import { fileURLToPath } from "node:url";
import t from "tap";
import { adapters, peers } from "../crash/devices.ts";
import { runCrashes } from "../crash/run.ts";
import { summaryOf } from "../crash/summary.ts";
import { peerSuite } from "../peers/peer-suite.ts";

t.setTimeout(400_000);

/** The device has changed and its edge does not know; edge and device know and nobody else; the vault knows and nobody else. */
const failpoints = ["rotation.before-record", "rotation.after-verified", "vault.after-ingest"];
const tried = adapters.filter((adapter) => adapter !== "ssh-admin");
const installed = tried.filter((adapter) => peers[adapter].installed);
const asked = failpoints.length * installed.length;
const result = installed.length === 0 ? null : await runCrashes({ kills: asked, adapters: installed, failpoints });

for (const adapter of tried) {
  await peerSuite(t, peers[adapter], async (suite) => {
    suite.stated(result?.servers[adapter] ?? "not stated");
    await suite.test(
      `real processes killed on the way of ${adapter}: one password works and the vault has it in use`,
      async (t) => {
        const kills = result?.kills.filter(({ cell }) => cell.adapter === adapter) ?? [];
        t.same(kills.map(({ cell }) => cell.failpoint).sort(), [...failpoints].sort());
        for (const { cell, verdict } of kills) t.match(verdict, { kind: "one" }, `${cell.node} at ${cell.failpoint}`);
      },
    );
  });
}

await peerSuite(t, peers.modbus, async (suite) => {
  await suite.test("planted: an edge that after a restart reports what it has not proven is caught by one kill", async (t) => {
    const planted = fileURLToPath(new URL("../crash/planted-unproven.ts", import.meta.url));
    const found = await runCrashes({
      kills: 1,
      adapters: ["modbus"],
      failpoints: ["rotation.after-sent"],
      planted,
      patienceMs: 60_000,
    });
    t.match(summaryOf(found, 1), { ok: false, kills: 1 });
    t.match(found.kills, [{ verdict: { kind: "lost" } }]);
  });
});

t.test("a run in which a password is lost, or a failpoint was never met, is not in order", async (t) => {
  const cell = { failpoint: "rotation.after-sent", adapter: "ssh", node: "edge", scenario: "rotate", passes: 1 } as const;
  const base = { servers: {}, ms: 1 };
  const kill = { cell, ms: 1, verdict: { kind: "one", why: "", version: "1.1" } } as const;
  const never = { cell: { ...cell, failpoint: "rotation.after-saved" }, kills: 0, misses: 3 };
  const tally = { cell, kills: 2, misses: 0 };
  t.match(summaryOf({ ...base, kills: [kill, kill], tallies: [tally] }, 2), { ok: true, lost: 0, never: [] });
  t.match(summaryOf({ ...base, kills: [kill, kill], tallies: [tally, never] }, 2), {
    ok: false,
    never: [/after-saved with ssh/],
  });
  t.match(summaryOf({ ...base, kills: [kill], tallies: [tally] }, 2), { ok: false }, "ended early");
  for (const [kind, counted] of [
    ["lost", "lost"],
    ["locked out", "lockedOut"],
    ["unknown", "unknown"],
  ] as const) {
    const bad = { ...kill, verdict: { kind, why: "why", version: "" } };
    t.match(summaryOf({ ...base, kills: [kill, bad], tallies: [tally] }, 2), { ok: false, [counted]: 1 }, kind);
  }
});
