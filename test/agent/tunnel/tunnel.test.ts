import t, { type Test } from "tap";
import { type DialledTunnel, dialTunnel, listenTunnel, type TunnelListener, tunnelPath } from "../../../agent/tunnel/index.ts";
import { TidegateError, toHex, utf8 } from "../../../protocol/base/index.ts";
import { type TunnelEffect, TunnelSession } from "../../../protocol/tunnel/index.ts";
import { ManualClock, settled } from "../../support/manual-clock.ts";
import { memoryNetwork } from "../../support/memory-network.ts";
import { type TunnelMember, TunnelWorld } from "../../support/tunnel-members.ts";
import { item, RigNode } from "./rig.ts";

const world = new TunnelWorld();
const gatewayMember = world.node(41, { role: 1 });
const edgeMember = world.node(42);

class Rig {
  readonly network = memoryNetwork();
  readonly clock = new ManualClock();
  readonly gateway = this.node(gatewayMember, "gateway");
  readonly edge = this.node(edgeMember, "edge");
  readonly tunnels: DialledTunnel[] = [];
  admit = true;
  listener: TunnelListener | null = null;

  node(member: TunnelMember, seed: string): RigNode {
    return new RigNode({ member, state: world.state, clock: this.clock, seed });
  }

  async listen(): Promise<TunnelListener> {
    const { gateway } = this;
    this.listener = await listenTunnel({
      node: gateway,
      address: "10.0.0.1:7444",
      listen: this.network.listen(gatewayMember.tlsKeyHash),
      admit: () => this.admit,
      report: gateway.report,
    });
    return this.listener;
  }

  dial(node: RigNode = this.edge, member: TunnelMember = edgeMember): DialledTunnel {
    const tunnel = dialTunnel({
      node,
      peer: () => gatewayMember.nodeId,
      address: "10.0.0.1:7444",
      dial: this.network.dial(member.tlsKeyHash),
      nextCounter: node.nextCounter,
      report: node.report,
    });
    this.tunnels.push(tunnel);
    return tunnel;
  }

  /** Closes all and checks that nothing is left. */
  async close(t: Test): Promise<void> {
    for (const tunnel of this.tunnels) await tunnel.close();
    await this.listener?.close();
    await settled();
    t.equal(this.clock.pending, 0, "no timer is left");
    t.equal(this.network.connections, 0, "no connection is left");
  }
}

/** A rig with a session open. */
async function opened(): Promise<Rig & { tunnel: DialledTunnel; listener: TunnelListener }> {
  const rig = new Rig();
  const listener = await rig.listen();
  const tunnel = rig.dial();
  await rig.gateway.mailroom.until(() => rig.gateway.mailroom.openings.length > 0);
  await settled();
  return Object.assign(rig, { tunnel, listener });
}

t.test("a tunnel opens, shows its facts at both ends, and closes without trace", async (t) => {
  const rig = await opened();
  const status = rig.tunnel.status();
  t.match(status, { state: "open", facts: { direction: "outbound", peer: { name: "node-41", role: 1 } } });
  const facts = rig.listener.sessionFor(rig.edge.nodeId);
  t.match(facts, { direction: "inbound", peer: { name: "node-42" }, connectedSinceMs: rig.clock.sinceBootMs() });
  t.equal(status.state === "open" && status.facts.session, facts?.session);
  t.equal(rig.listener.sessions().length, 1);
  t.equal(rig.listener.sessionFor(rig.gateway.nodeId), null);
  await rig.close(t);
  await rig.tunnel.close();
  await rig.listener.close();
  t.same(rig.tunnel.status(), { state: "closed" });
  t.same(rig.gateway.closedCodes, ["TUNNEL_CLOSED"]);
});

t.test("items go both ways, are acknowledged after the store has them, and more follow at a wake", async (t) => {
  const rig = new Rig();
  rig.edge.mailroom.put(item(1, "up 1"), item(1, "up 2", 300_000));
  rig.gateway.mailroom.put(item(2, "down 1"), ...Array.from({ length: 150 }, (_, index) => item(3, `down ${index + 2}`)));
  const listener = await rig.listen();
  const tunnel = rig.dial();
  await rig.edge.mailroom.until(() => rig.edge.mailroom.arrived.length === 151);
  await rig.gateway.mailroom.until(() => rig.gateway.mailroom.arrived.length === 2);
  t.same(rig.gateway.mailroom.arrived, [item(1, "up 1"), item(1, "up 2", 300_000)]);
  rig.edge.mailroom.put(item(1, "up 3"));
  tunnel.wake();
  tunnel.wake();
  rig.gateway.mailroom.put(item(2, "later"));
  listener.wake(rig.edge.nodeId);
  listener.wake(rig.gateway.nodeId);
  await rig.edge.mailroom.until(() => rig.edge.mailroom.arrived.length === 152);
  await rig.edge.mailroom.until(() => rig.edge.mailroom.answers.length === 3);
  t.same(
    rig.edge.mailroom.answers.map((answer) => answer.outcome),
    ["stored", "stored", "stored"],
  );
  await rig.close(t);
});

t.test("no hop acknowledgement before the store has answered", async (t) => {
  const rig = await opened();
  const release: (() => void)[] = [];
  rig.gateway.mailroom.answer = () => new Promise((resolve) => release.push(() => resolve("stored")));
  rig.edge.mailroom.put(item(1, "a"), item(1, "b"), item(2, "c"));
  rig.tunnel.wake();
  await settled();
  t.equal(release.length, 2, "one at a time in a mailbox, mailboxes beside each other");
  t.equal(rig.edge.mailroom.answers.length, 0);
  release[0]?.();
  await rig.edge.mailroom.until(() => rig.edge.mailroom.answers.length === 1);
  t.equal(rig.edge.mailroom.answers[0]?.id, toHex(item(1, "a").id));
  await settled();
  for (const one of release) one();
  await rig.edge.mailroom.until(() => rig.edge.mailroom.answers.length === 2);
  await settled();
  for (const one of release) one();
  await rig.close(t);
});

t.test("what was not acknowledged is sent again in the next session, in order", async (t) => {
  const rig = await opened();
  let swallowed = 0;
  rig.network.tamper = (message, way) => {
    if (way === "to-listener" && swallowed > 2) return [];
    swallowed += 1;
    return [message];
  };
  rig.edge.mailroom.put(...Array.from({ length: 5 }, (_, index) => item(1, `${index}`)));
  rig.tunnel.wake();
  await settled();
  rig.network.tamper = null;
  rig.network.cutAll();
  await rig.clock.advance(1_000);
  await rig.gateway.mailroom.until(() => rig.gateway.mailroom.arrived.length >= 5);
  const ids = rig.gateway.mailroom.arrived.map((one) => toHex(one.id));
  t.same(
    ids.slice(-5),
    [0, 1, 2, 3, 4].map((index) => toHex(item(1, `${index}`).id)),
  );
  await rig.close(t);
});

t.test("an item that is refused is reported and does not come again; a full mailbox is asked again", async (t) => {
  const rig = await opened();
  let full = true;
  rig.gateway.mailroom.answer = (one) => {
    if (one.mailbox[0] === 1) return "refused";
    return full ? "full" : "stored";
  };
  rig.edge.mailroom.put(item(1, "bad"), item(2, "good"));
  rig.tunnel.wake();
  await rig.edge.mailroom.until(() => rig.edge.mailroom.answers.length === 2);
  t.same(rig.edge.mailroom.answers.map((answer) => answer.outcome).sort(), ["full", "refused"]);
  t.equal(rig.edge.count("tunnel.item-refused"), 2);
  t.equal(rig.gateway.count("tunnel.item-refused"), 2);
  full = false;
  await rig.clock.advance(59_000);
  t.equal(rig.edge.mailroom.answers.length, 2);
  await rig.clock.advance(2_000);
  t.same(
    rig.edge.mailroom.answers.slice(2).map((answer) => answer.outcome),
    ["stored"],
  );
  await rig.close(t);
});

t.test("the newest handshake of a node has its seat; one that comes late is refused", async (t) => {
  const rig = await opened();
  const twin = rig.node(edgeMember, "twin");
  twin.counter = 100;
  rig.dial(twin);
  await rig.gateway.mailroom.until(() => rig.gateway.mailroom.openings.length === 2);
  await settled();
  t.equal(rig.listener.sessions().length, 1, "one live session a node");
  t.same(rig.edge.closedCodes, ["TUNNEL_SUPERSEDED"]);
  await rig.clock.advance(2_000);
  t.ok(rig.edge.count("tunnel.closed") >= 2, "the one with the lower number tried and was refused");
  t.equal(twin.count("tunnel.closed"), 0);
  await rig.close(t);
});

t.test("a peer that falls silent is given up, and the same tunnel comes back", async (t) => {
  const rig = await opened();
  rig.network.silent = true;
  await rig.clock.advance(89_000);
  t.equal(rig.tunnel.status().state, "open", "two pings have their time");
  await rig.clock.advance(2_000);
  t.same(rig.edge.closedCodes, ["TUNNEL_PEER_SILENT"]);
  t.equal(rig.listener.sessions().length, 0);
  rig.network.silent = false;
  await rig.clock.advance(60_000);
  t.equal(rig.tunnel.status().state, "open");
  t.equal(rig.listener.sessions().length, 1);
  await rig.close(t);
});

t.test("an idle session costs a ping and a pong each half minute", async (t) => {
  const rig = await opened();
  let messages = 0;
  rig.network.tamper = (message) => {
    messages += 1;
    return [message];
  };
  await rig.clock.advance(30 * 60_000);
  t.ok(messages >= 60 && messages <= 4 * 61, `${messages} messages in half an hour`);
  t.equal(rig.tunnel.status().state, "open");
  t.equal(rig.clock.pending, 2, "one timer a side");
  await rig.close(t);
});

t.test("a session ends within 24 hours, before the listener's patience, and the next one follows at once", async (t) => {
  const rig = await opened();
  await rig.clock.advance(86_400_000 - 30_000);
  t.same(rig.edge.closedCodes, ["TUNNEL_SESSION_ENDED"]);
  t.same(rig.gateway.closedCodes, ["TUNNEL_SESSION_ENDED"]);
  t.equal(rig.tunnel.status().state, "open");
  t.equal(rig.edge.count("tunnel.dial-failed"), 0);
  await rig.close(t);
});

t.test("dials back off with full jitter, 0.5 to 60 s, and never gather", async (t) => {
  const rig = new Rig();
  const nodes = Array.from({ length: 40 }, (_, index) => rig.node(edgeMember, `node ${index}`));
  for (const node of nodes) rig.dial(node);
  await rig.clock.advance(3_600_000);
  const waits = nodes.flatMap(({ events }) =>
    events.flatMap((event) => (event.name === "tunnel.dial-failed" ? [event.retryInMs] : [])),
  );
  t.ok(Math.min(...waits) >= 500 && Math.max(...waits) <= 60_000, `${Math.min(...waits)} to ${Math.max(...waits)}`);
  const first = nodes.map(({ events }) => (events[0]?.name === "tunnel.dial-failed" ? events[0].retryInMs : 0));
  t.ok(Math.max(...first) <= 1_000, "the first soon");
  t.ok(new Set(first).size > 30, "and not together");
  const late = waits.length / nodes.length;
  t.ok(late > 60 && late < 200, `${late} dials an hour`);
  t.match(rig.tunnels[0]?.status(), { state: "waiting", lastCode: "LINK_UNREACHABLE" });
  await rig.close(t);
});

t.test("a session that ends soon after it opened does not reset the back-off", async (t) => {
  const rig = new Rig();
  await rig.listen();
  rig.dial();
  for (let round = 0; round < 12; round += 1) {
    await rig.clock.advance(60_000);
    rig.network.cutAll();
    await settled();
  }
  t.ok(rig.edge.count("tunnel.opened") >= 12);
  const steady = rig.clock.nextInMs ?? 0;
  t.ok(steady >= 500, "a wait follows");
  await rig.close(t);
});

t.test("a listener that does not admit says so, and one that revokes drops the session", async (t) => {
  const rig = new Rig();
  rig.admit = false;
  const listener = await rig.listen();
  const tunnel = rig.dial();
  await settled();
  await settled();
  t.same(rig.gateway.closedCodes, ["TUNNEL_NOT_ADMITTED"]);
  t.match(tunnel.status(), { state: "waiting", lastCode: "TUNNEL_REFUSED_BY_PEER", sinceMs: Number, lastHeardMs: null });
  rig.admit = true;
  await rig.clock.advance(2_000);
  t.equal(tunnel.status().state, "open");
  listener.drop(rig.edge.nodeId);
  listener.drop(rig.edge.nodeId);
  await settled();
  t.equal(rig.gateway.closedCodes.at(-1), "TRUST_REVOKED");
  await rig.close(t);
});

t.test("roots and a revoked list are kept before the dialler goes on", async (t) => {
  const rig = new Rig();
  rig.gateway.learn([...world.laterRoots(2, 4), world.revoked(1)]);
  await rig.listen();
  const tunnel = rig.dial();
  await rig.edge.mailroom.until(() => rig.edge.mailroom.openings.length === 1);
  await settled();
  t.equal(rig.edge.learned, 1);
  t.equal(rig.edge.trust().rootVersion, 4);
  t.equal(tunnel.status().state, "open");
  await rig.close(t);
});

t.test("an error of the node's own store ends the session with its code, and it comes back", async (t) => {
  const rig = await opened();
  let broken = true;
  const table = { RIG_BROKEN: { fault: "environment", retryable: true } } as const;
  rig.gateway.mailroom.answer = () => {
    if (broken) throw new TidegateError(table, "RIG_BROKEN", "no disk");
    return "stored";
  };
  rig.edge.mailroom.put(item(1, "a"));
  rig.tunnel.wake();
  await settled();
  t.same(rig.gateway.closedCodes, ["RIG_BROKEN"]);
  t.same(rig.edge.closedCodes, ["TUNNEL_REFUSED_BY_PEER"]);
  broken = false;
  await rig.clock.advance(1_100);
  t.equal(rig.gateway.mailroom.arrived.length, 1);
  await rig.close(t);
});

t.test("a mangled message ends the session, never the node", async (t) => {
  const rig = await opened();
  rig.network.tamper = (_message, way) => (way === "to-listener" ? [utf8("rubbish")] : []);
  rig.edge.mailroom.put(item(1, "a"));
  rig.tunnel.wake();
  await settled();
  t.same(rig.gateway.closedCodes, ["TUNNEL_MALFORMED"]);
  rig.network.tamper = null;
  await rig.clock.advance(91_000);
  t.equal(rig.tunnel.status().state, "open");
  await rig.close(t);
});

t.test("a peer that sends without reading is cut", async (t) => {
  const rig = await opened();
  for (const [queued, codes] of [
    [4_194_304, []],
    [4_194_305, ["TUNNEL_FLOOD"]],
  ] as const) {
    rig.network.queuedBytes = queued;
    await rig.clock.advance(31_000);
    t.same([...rig.edge.closedCodes, ...rig.gateway.closedCodes].slice(0, 1), codes, `${queued} bytes not sent`);
  }
  rig.network.queuedBytes = 0;
  await rig.close(t);
});

t.test("a peer that floods while the store is asked is cut", async (t) => {
  for (const [pings, code] of [
    [1_024, "TUNNEL_CLOSED"],
    [1_025, "TUNNEL_FLOOD"],
  ] as const) {
    const rig = new Rig();
    const release: (() => void)[] = [];
    rig.gateway.mailroom.opened = () => new Promise<void>((resolve) => release.push(resolve));
    await rig.listen();
    const target = { address: { host: "10.0.0.1", port: 7444 }, path: tunnelPath, maxMessageBytes: 300_000 } as const;
    const stream = await rig.network.dial(edgeMember.tlsKeyHash)(target, new AbortController().signal);
    const { edge } = rig;
    const identity = { nodeId: edge.nodeId, member: edge.member(), signing: edge.signing, trust: edge.trust() };
    const [session, first] = TunnelSession.dial(
      { ...identity, random: edge.seams.random, binding: stream.binding, peer: gatewayMember.nodeId, counter: 1, heads: [] },
      0,
    );
    const send = (effects: readonly TunnelEffect[]) => {
      for (const effect of effects) if (effect.kind === "send") stream.send(effect.bytes);
    };
    stream.start({ message: (bytes) => send(session.receive(bytes, 0)), drained() {}, closed() {} });
    send(first);
    await settled();
    t.equal(session.state, "open");
    for (let ping = 0; ping < pings; ping += 1) stream.send(session.frame(4 as 1));
    await settled();
    send(session.end("TUNNEL_CLOSED"));
    await settled();
    for (const one of release) one();
    await settled();
    t.same(rig.gateway.closedCodes, [code], `${pings} pings`);
    stream.close(0);
    await rig.close(t);
  }
});

t.test("cut in mid-frame a thousand times: the same tunnel comes back, one live session, nothing leaks", async (t) => {
  const rig = await opened();
  rig.edge.mailroom.put(...Array.from({ length: 20 }, (_, index) => item(1, `${index}`, 30_000)));
  const worst = { sessions: 0, connections: 0, timers: 0 };
  for (let cuts = 0; cuts < 1_000; cuts += 1) {
    let messages = cuts % 9;
    rig.network.tamper = (message) => {
      messages -= 1;
      if (messages >= 0) return [message];
      worst.sessions = Math.max(worst.sessions, rig.listener.sessions().length);
      worst.connections = Math.max(worst.connections, rig.network.connections);
      worst.timers = Math.max(worst.timers, rig.clock.pending);
      rig.network.cutAll();
      return [];
    };
    rig.tunnel.wake();
    await rig.clock.advance(rig.clock.nextInMs ?? 0);
    if (rig.network.connections > 0 || rig.clock.pending !== 1) t.fail(`cut ${cuts} left something`);
  }
  t.ok(rig.network.dials > 900, `${rig.network.dials} dials`);
  t.same(worst, { sessions: 1, connections: 1, timers: 2 }, "one session, one timer a side, while it lives");
  rig.network.tamper = null;
  await rig.clock.advance(61_000);
  t.equal(rig.tunnel.status().state, "open");
  t.equal(rig.listener.sessions().length, 1);
  await rig.edge.mailroom.until(() => rig.edge.mailroom.outbox.every(({ sent }) => sent));
  await rig.close(t);
});

t.test("a tunnel closed while it dials, waits, or opens leaves nothing", async (t) => {
  for (const turns of [0, 1, 2, 3, 4, 6, 8, 12]) {
    const rig = new Rig();
    if (turns % 2 === 0) await rig.listen();
    const tunnel = rig.dial();
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    await tunnel.close();
    await rig.close(t);
  }
});

t.test("a malformed address is refused before anything is dialled", (t) => {
  const rig = new Rig();
  const options = {
    node: rig.edge,
    peer: () => gatewayMember.nodeId,
    dial: rig.network.dial(null),
    nextCounter: () => 1,
    report: () => {},
  };
  for (const address of ["", "host", "host:", "host:99999", "[::1]", "::1:80", "[x]:1", "a b:1", "[1.2.3.4]:5"]) {
    t.throws(() => dialTunnel({ ...options, address }), { code: "ADDRESS_INVALID" }, address);
  }
  t.equal(rig.network.dials, 0);
  t.end();
});
