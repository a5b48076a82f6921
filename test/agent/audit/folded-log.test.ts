import t from "tap";
import { type FoldedEvent, FoldedLog } from "../../../agent/audit/folded-log.ts";
import { foldEveryMs, foldFirstMs, maxFoldedKinds, maxFoldedRefusals } from "../../../agent/audit/limits.ts";
import { tunnelLeaf } from "../../../agent/tunnel/index.ts";
import type { TunnelPeer } from "../../../protocol/tunnel/index.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const subject = { kind: "node", id: "self" } as const;

function refused(address: string): FoldedEvent {
  const actor = { kind: "node", id: "unknown" } as const;
  return { action: "tunnel.refuse", actor, subject, outcome: "denied", code: "TUNNEL_TIMEOUT", details: { address } };
}

function opened(id: string): FoldedEvent {
  return { action: "tunnel.open", actor: { kind: "node", id }, subject, outcome: "ok" };
}

function rig() {
  const clock = new ManualClock();
  const written: FoldedEvent[] = [];
  const log = new FoldedLog({ clock, timers: clock, write: (events) => void written.push(...events) });
  return { clock, log, written };
}

const countOf = (events: readonly FoldedEvent[]) =>
  events.reduce((sum, { details }) => sum + ((details as { count?: number } | undefined)?.count ?? 1), 0);

t.test("the first of a kind is written at once, those that follow once a minute with their count", async (t) => {
  const { clock, log, written } = rig();
  log.note(refused("10.0.0.1"));
  t.same(written, []);
  await clock.advance(foldFirstMs);
  t.same(written.splice(0), [refused("10.0.0.1")], "one is written as it is");
  for (let i = 0; i < 1000; i += 1) log.note(refused("10.0.0.1"));
  await clock.advance(1000);
  t.same(written, []);
  await clock.advance(foldEveryMs);
  t.match(written.splice(0), [{ action: "tunnel.refuse", details: { address: "10.0.0.1", count: 1000 } }]);
  log.note(refused("10.0.0.1"));
  await clock.advance(foldFirstMs);
  t.equal(written.length, 1, "a new minute begins with a leaf at once");
});

t.test("whoever comes from many places has few leaves, and each try is counted", async (t) => {
  for (const many of [maxFoldedRefusals - 1, maxFoldedRefusals, maxFoldedRefusals + 1, 10_000]) {
    const { clock, log, written } = rig();
    for (let i = 0; i < many; i += 1) log.note(refused(`10.0.${i >> 8}.${i & 255}`));
    for (let i = 0; i < many; i += 1) log.note(opened(`node-${i}`));
    await clock.advance(foldFirstMs);
    const denied = written.filter(({ outcome }) => outcome === "denied");
    t.equal(denied.length, Math.min(many, maxFoldedRefusals + 1));
    t.equal(countOf(denied), many);
    if (many > maxFoldedRefusals) t.match(denied.at(-1), { actor: { id: "others" } });
    t.equal(written.length - denied.length, many, "and hides nobody who is let in");
  }
});

t.test("members that are more than there can be share a leaf too", async (t) => {
  const { log, written } = rig();
  for (let i = 0; i < maxFoldedKinds + 5; i += 1) log.note(opened(`node-${i}`));
  await log.close();
  t.equal(written.length, maxFoldedKinds + 1);
  t.equal(countOf(written), maxFoldedKinds + 5);
  log.note(opened("late"));
  await log.close();
  t.equal(written.length, maxFoldedKinds + 1, "closed is closed");
});

t.test("a tunnel's events are leaves: who came, who was refused, and no port", async (t) => {
  const peer: TunnelPeer = { nodeId: new Uint8Array(20), role: 2, name: "edge-1", zone: "plant", serial: 1 };
  const remote = "[::1]:5000";
  t.match(tunnelLeaf({ name: "tunnel.opened", peer, remote, session: "x" }, "self"), {
    action: "tunnel.open",
    outcome: "ok",
    details: { role: "edge", address: "[::1]" },
  });
  const closed = { name: "tunnel.closed", peer, remote, code: "TUNNEL_CUT" } as const;
  t.match(tunnelLeaf({ ...closed, wasOpen: true }, "self"), { action: "tunnel.close", details: { reason: "TUNNEL_CUT" } });
  const stranger = tunnelLeaf({ ...closed, peer: null, wasOpen: false }, "self");
  t.match(stranger, { action: "tunnel.refuse", actor: { id: "unknown" }, outcome: "denied", code: "TUNNEL_CUT" });
  const join = tunnelLeaf({ name: "join.refused", remote, code: "ENROL_CODE_UNKNOWN" }, "self");
  t.match(join, { action: "node.enroll", outcome: "denied", code: "ENROL_CODE_UNKNOWN" });
  t.equal(tunnelLeaf({ name: "join.answered", remote }, "self"), null, "the vault's own leaf says more");
});
