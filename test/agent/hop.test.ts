import t from "tap";
import { createMetrics } from "../../agent/metrics/index.ts";
import { hopCheck } from "../../agent/node/hop.ts";
import { gaugeHop, type Hop, hopStatus } from "../../agent/node/index.ts";
import type { TunnelStatus } from "../../agent/tunnel/index.ts";

const peer = { nodeId: new Uint8Array(20), name: "gw-1", role: 1, zone: "dmz", serial: 1 } as const;

function hop(status: TunnelStatus | null): Hop {
  return { to: "gateway", status: () => status, nowMs: () => 1_000_000 };
}

const open: TunnelStatus = {
  state: "open",
  facts: { peer, direction: "outbound", remote: "10.0.0.1:7444", connectedSinceMs: 0, lastHeardMs: 988_000, session: "s" },
};
const away = (sinceMs: number, lastHeardMs: number | null): TunnelStatus => ({
  state: "waiting",
  lastCode: "LINK_TIMEOUT",
  lastHint: "a hint",
  sinceMs,
  lastHeardMs,
});

t.test("health says whether the next hop is there, else why not and since when; red after five minutes", async (t) => {
  t.same(hopCheck(hop(null)), [], "where only media go nobody is missed");
  t.same(hopCheck(hop(open)), [{ name: "hop", ok: true, detail: "gateway: heard 12 s ago" }]);
  for (const [forS, ok] of [
    [299, true],
    [300, true],
    [301, false],
  ] as const) {
    const detail = `gateway: away for ${forS} s, LINK_TIMEOUT`;
    t.same(hopCheck(hop(away(1_000_000 - forS * 1000, null))), [{ name: "hop", ok, detail }]);
  }
  t.match(hopCheck(hop({ state: "closed" })), [{ ok: false }]);
});

t.test("status and metrics say the same", async (t) => {
  t.match(hopStatus(hop(open)), { state: "open", remote: "10.0.0.1:7444", silentS: 12 });
  t.same(hopStatus(hop(away(400_000, 310_000))), {
    state: "waiting",
    lastCode: "LINK_TIMEOUT",
    hint: "a hint",
    forS: 600,
    silentS: 690,
  });
  t.match(hopStatus(hop(away(400_000, null))), { silentS: null });
  t.same(hopStatus(hop(null)), { state: "none" });
  for (const [status, up, silent] of [
    [open, "1", "12"],
    [away(400_000, 310_000), "0", "690"],
    [away(400_000, null), "0", "-1"],
    [null, "0", "-1"],
  ] as const) {
    const metrics = createMetrics();
    gaugeHop(metrics, hop(status), () => null);
    const text = await metrics.text();
    t.match(text, new RegExp(`^tidegate_hop_up ${up}$`, "m"));
    t.match(text, new RegExp(`^tidegate_hop_silent_seconds ${silent}$`, "m"));
    t.match(text, /^tidegate_vault_silent_seconds -1$/m);
  }
});
