import { createHmac } from "node:crypto";
import t from "tap";
import { encodeTcbor, utf8 } from "../../../protocol/base/index.ts";
import { applyStatements } from "../../../protocol/trust/index.ts";
import { DiallerHandshake } from "../../../protocol/tunnel/dialler-handshake.ts";
import { FrameWriter } from "../../../protocol/tunnel/frame.ts";
import { FrameMac } from "../../../protocol/tunnel/frame-mac.ts";
import { type DirectBinding, type StreamHead, tunnelTrust } from "../../../protocol/tunnel/index.ts";
import { encodeHello2, withSignature } from "../../../protocol/tunnel/messages.ts";
import { headsToTcbor } from "../../../protocol/tunnel/stream-head.ts";
import { listenerMessage, transcript2 } from "../../../protocol/tunnel/transcript.ts";
import { TunnelWorld } from "../../support/tunnel-members.ts";
import { bindingTo, edge, gateway, Pair, type PairOptions, seededRandom, stranger, world } from "./rig.ts";

function head(byte: number, seq = 1): StreamHead {
  return { nodeId: new Uint8Array(20).fill(byte), epoch: 1, seq, id: new Uint8Array(32).fill(byte) };
}

t.test("a handshake opens both sides under one session name and tells the heads", (t) => {
  const heads = Array.from({ length: 700 }, (_, index) => head(index % 256, index));
  const pair = new Pair({ heads, counter: 9 }).run([head(1), head(2)]);
  t.ok(pair.open);
  const opened = [pair.effects.dialler, pair.effects.listener].map((effects) => effects.find((one) => one.kind === "opened"));
  const [atDialler, atListener] = opened;
  t.same(atDialler?.kind === "opened" && atDialler.heads, [head(1), head(2)]);
  t.same(atListener?.kind === "opened" && atListener.heads, heads, "more heads than one message holds");
  t.equal(atDialler?.kind === "opened" && atDialler.session, atListener?.kind === "opened" && atListener.session);
  t.match(
    pair.effects.listener.find((one) => one.kind === "authenticated"),
    { counter: 9, peer: { name: "node-42", role: 2 } },
  );
  t.end();
});

t.test("frames arrive in both directions, in order", (t) => {
  const pair = new Pair().run();
  for (const text of ["a", "b"]) pair.toListener.push(pair.dialler.frame(1, utf8(text), utf8("!")));
  pair.toDialler.push(pair.listener.frame(3, utf8("c")));
  pair.run();
  t.same([pair.frames("listener"), pair.frames("dialler")], [["1:a!", "1:b!"], ["3:c"]]);
  t.end();
});

t.test("a frame that was changed, replayed, swapped, cut or sent back is refused with its code", (t) => {
  const cases: Record<string, { code: string; deliver: (pair: Pair, a: Uint8Array, b: Uint8Array) => Uint8Array[] }> = {
    changed: {
      code: "TUNNEL_FRAME_FORGED",
      deliver: (_pair, a) => {
        a[9] = (a[9] ?? 0) ^ 1;
        return [a];
      },
    },
    "number changed": {
      code: "TUNNEL_FRAME_FORGED",
      deliver: (_pair, a) => {
        a[7] = (a[7] ?? 0) + 1;
        return [a];
      },
    },
    replayed: { code: "TUNNEL_FRAME_ORDER", deliver: (_pair, a) => [a, a] },
    "out of order": { code: "TUNNEL_FRAME_ORDER", deliver: (_pair, a, b) => [b, a] },
    "left out": { code: "TUNNEL_FRAME_ORDER", deliver: (_pair, _a, b) => [b] },
    "sent back": { code: "TUNNEL_FRAME_FORGED", deliver: (pair) => [pair.listener.frame(1, utf8("mine"))] },
    "of another session": {
      code: "TUNNEL_FRAME_FORGED",
      deliver: () => [new Pair({ random: "other" }).run().dialler.frame(1, utf8("a"))],
    },
    "cut short": { code: "TUNNEL_MALFORMED", deliver: (_pair, a) => [a.subarray(0, 40)] },
    "one byte short": { code: "TUNNEL_FRAME_FORGED", deliver: (_pair, a) => [a.subarray(0, -1)] },
    "too long": { code: "TUNNEL_TOO_LARGE", deliver: () => [new Uint8Array(65_536 + 42)] },
    "of no kind": { code: "TUNNEL_UNEXPECTED", deliver: (pair) => [pair.dialler.frame(9 as 1)] },
    "heads once more": { code: "TUNNEL_UNEXPECTED", deliver: (pair) => [pair.dialler.frame(6 as 1, encodeTcbor([true, []]))] },
    "a pong for nothing": { code: "TUNNEL_UNEXPECTED", deliver: (pair) => [pair.dialler.frame(5 as 1)] },
    "a ping with a load": { code: "TUNNEL_MALFORMED", deliver: (pair) => [pair.dialler.frame(4 as 1, utf8("x"))] },
    "a close without reason": { code: "TUNNEL_MALFORMED", deliver: (pair) => [pair.dialler.frame(7 as 1, utf8("x"))] },
  };
  for (const [name, { code, deliver }] of Object.entries(cases)) {
    const pair = new Pair().run();
    const a = pair.dialler.frame(1, utf8("a"));
    const b =
      name.startsWith("a ") || name.startsWith("of no") || name.startsWith("heads") ? null : pair.dialler.frame(1, utf8("b"));
    if (b === null) pair.toListener.push(a);
    pair.toListener.push(...deliver(pair, a, b ?? a));
    pair.run();
    t.equal(pair.code("listener"), code, name);
    t.equal(pair.listener.state, "closed");
  }
  t.end();
});

t.test("a frame's authentication is HMAC-SHA-256 as node makes it, for every length", (t) => {
  const key = new Uint8Array(32).map((_, index) => index * 7);
  const mac = new FrameMac(key);
  const made = Buffer.alloc(32);
  const message = Buffer.from(new Uint8Array(65_545).map((_, index) => index % 251));
  const lengths = [...Array.from({ length: 200 }, (_, length) => length), 4_096, 65_544, 65_545];
  const other = lengths.filter((length) => {
    mac.write(message, length, made, 0);
    return !createHmac("sha256", key).update(message.subarray(0, length)).digest().equals(made);
  });
  t.same(other, []);
  mac.wipe();
  mac.write(message, 9, made, 0);
  t.notSame(made, createHmac("sha256", key).update(message.subarray(0, 9)).digest(), "nothing is left of the key");
  t.end();
});

t.test("the largest payload passes", (t) => {
  const pair = new Pair().run();
  pair.toListener.push(pair.dialler.frame(1, new Uint8Array(65_536)));
  pair.run();
  t.ok(pair.open);
  t.throws(() => pair.dialler.frame(1, new Uint8Array(65_537)), { name: "AssertionError" });
  t.end();
});

const other = new TunnelWorld([]);
const revokedEdge = tunnelTrust(applyStatements(world.state, [world.revoked(1, edge)]).state);
const revokedGateway = tunnelTrust(applyStatements(world.state, [world.revoked(1, gateway)]).state);
const newerEdge = tunnelTrust(applyStatements(world.state, [world.node(42, { serial: 2 }).member]).state);
/** Took the place of `gateway`. */
const successor = world.node(44, { role: 1, name: "node-41" });
const knowsGateway = tunnelTrust(applyStatements(world.state, [gateway.member]).state);
/** A listener that answers whoever it was that was dialled. */
const answersAll = { ...world.trust, lists: () => true };
const wrongExporter: Partial<DirectBinding> = { exporter: new Uint8Array(32).fill(8) };

const refusals: Record<string, { options: PairOptions; side: "dialler" | "listener"; code: string }> = {
  "the gateway that was replaced, by who knows its successor": {
    options: {
      diallerTrust: tunnelTrust(
        applyStatements(world.state, [gateway.member, successor.member, world.revoked(1, gateway)]).state,
      ),
      dialled: successor.nodeId,
      listenerTrust: answersAll,
    },
    side: "dialler",
    code: "TRUST_REVOKED",
  },
  "a gateway of another name in place of the one dialled": {
    options: {
      diallerTrust: knowsGateway,
      dialled: gateway.nodeId,
      listener: world.node(45, { role: 1 }),
      listenerTrust: revokedGateway,
    },
    side: "dialler",
    code: "TUNNEL_WRONG_PEER",
  },
  "an edge that has the gateway's name": {
    options: {
      diallerTrust: knowsGateway,
      dialled: gateway.nodeId,
      listener: world.node(45, { role: 2, name: "node-41" }),
      listenerTrust: revokedGateway,
    },
    side: "dialler",
    code: "TUNNEL_WRONG_PEER",
  },
  "a namesake while the one dialled is not revoked": {
    options: { diallerTrust: knowsGateway, dialled: gateway.nodeId, listener: successor, listenerTrust: answersAll },
    side: "dialler",
    code: "TUNNEL_WRONG_PEER",
  },
  "a successor of whom nothing is known": {
    options: { dialled: gateway.nodeId, listener: successor, listenerTrust: revokedGateway },
    side: "dialler",
    code: "TUNNEL_WRONG_PEER",
  },
  "a successor's statement without its key": {
    options: {
      diallerTrust: knowsGateway,
      dialled: gateway.nodeId,
      listener: { ...successor, signing: gateway.signing },
      listenerTrust: revokedGateway,
    },
    side: "dialler",
    code: "TUNNEL_BAD_SIGNATURE",
  },
  "another vault's node": {
    options: { listenerTrust: { ...other.trust, vaultId: new Uint8Array(32) } },
    side: "listener",
    code: "TUNNEL_WRONG_VAULT",
  },
  "a node that was not dialled": { options: { dialled: stranger.nodeId }, side: "listener", code: "TUNNEL_WRONG_PEER" },
  "its own node": { options: { dialler: gateway }, side: "listener", code: "TUNNEL_WRONG_PEER" },
  "a revoked dialler": { options: { listenerTrust: revokedEdge }, side: "listener", code: "TRUST_REVOKED" },
  "a revoked listener": { options: { diallerTrust: revokedGateway }, side: "dialler", code: "TRUST_REVOKED" },
  "a listener that the list it brings itself revokes": {
    options: { listenerTrust: revokedGateway },
    side: "dialler",
    code: "TRUST_REVOKED",
  },
  "a dialler with an older statement": { options: { listenerTrust: newerEdge }, side: "listener", code: "TRUST_MEMBER_OLD" },
  "a dialler with another's statement": {
    options: { dialler: { ...edge, member: stranger.member } },
    side: "listener",
    code: "TUNNEL_WRONG_PEER",
  },
  "a dialler that has not the key": {
    options: { dialler: { ...edge, signing: stranger.signing } },
    side: "listener",
    code: "TUNNEL_BAD_SIGNATURE",
  },
  "a listener that has not the key": {
    options: { listener: { ...gateway, signing: stranger.signing } },
    side: "dialler",
    code: "TUNNEL_BAD_SIGNATURE",
  },
  "two TLS connections patched together": {
    options: { diallerBinding: bindingTo(gateway, wrongExporter) },
    side: "dialler",
    code: "TUNNEL_BAD_SIGNATURE",
  },
  "a listener with another TLS key": {
    options: { diallerBinding: bindingTo(stranger) },
    side: "dialler",
    code: "TUNNEL_TLS_KEY",
  },
  "a dialler without certificate": {
    options: { listenerBinding: bindingTo(edge, { peerKeyHash: null }) },
    side: "listener",
    code: "TUNNEL_TLS_KEY",
  },
  "a certificate that no CA key signed": {
    options: { listenerBinding: bindingTo(edge, { peerSignedBy: () => false }) },
    side: "listener",
    code: "TUNNEL_TLS_CHAIN",
  },
  "the other mode": { options: { diallerBinding: { mode: "proxy" } }, side: "listener", code: "TUNNEL_MODE_MISMATCH" },
};

for (const [name, { options, side, code }] of Object.entries(refusals)) {
  t.test(`refused: ${name}`, (t) => {
    const pair = new Pair(options).run();
    t.equal(pair.code(side), code);
    t.notOk(pair.open);
    t.end();
  });
}

t.test(
  "who dials a gateway that was replaced finds its successor, learns its statement and lets nobody else in its place",
  (t) => {
    const pair = new Pair({
      diallerTrust: knowsGateway,
      dialled: gateway.nodeId,
      listener: successor,
      listenerTrust: revokedGateway,
    }).run();
    t.ok(pair.open);
    const learned = pair.effects.dialler.flatMap((effect) => (effect.kind === "learn" ? effect.statements : []));
    t.same(learned, [world.revoked(1, gateway), successor.member]);
    const after = applyStatements(world.state, [gateway.member, ...learned]).state;
    const old = new Pair({ diallerTrust: tunnelTrust(after), listenerTrust: answersAll });
    t.equal(old.run().code("dialler"), "TRUST_REVOKED", "the old one, also where it is dialled itself");
    t.ok(new Pair({ diallerTrust: tunnelTrust(after), listener: successor, listenerTrust: revokedGateway }).run().open);
    const third = world.node(46, { role: 1, name: "node-41" });
    const later = tunnelTrust(applyStatements(world.state, [world.revoked(2, gateway, successor)]).state);
    for (const dialled of [gateway, successor]) {
      const options = { dialled: dialled.nodeId, listener: third, listenerTrust: later };
      t.ok(new Pair({ diallerTrust: tunnelTrust(after), ...options }).run().open, "and the one after it");
    }
    t.end();
  },
);

t.test("mode proxy works where both sides are in it, and binds no TLS", (t) => {
  t.ok(new Pair({ diallerBinding: { mode: "proxy" }, listenerBinding: { mode: "proxy" } }).run().open);
  t.end();
});

t.test("a key agreement whose result anybody knows is refused, though it is signed", (t) => {
  const pair = new Pair();
  const m1 = pair.toListener.shift() ?? new Uint8Array();
  const hello = { nonce: new Uint8Array(32), ephemeral: new Uint8Array(32), mode: 1, member: gateway.member, statements: [] };
  const m2 = encodeHello2({ version: 1, listener: gateway.nodeId, dialler: edge.nodeId, ...hello });
  const signature = gateway.signing.sign(listenerMessage(transcript2(m1, m2, new Uint8Array(32).fill(7))));
  pair.toDialler.push(withSignature(m2, signature));
  pair.run();
  t.equal(pair.code("dialler"), "TUNNEL_WEAK_EXCHANGE");
  t.end();
});

t.test("a message for which it is not the time ends the session", (t) => {
  const twice = new Pair();
  const [m1 = new Uint8Array()] = twice.toListener;
  twice.toListener.push(m1);
  twice.run();
  t.equal(twice.code("listener"), "TUNNEL_MALFORMED", "M1 where M3 is due");
  const early = new Pair();
  early.step("listener");
  early.step("dialler");
  const [m3 = new Uint8Array(), heads = new Uint8Array()] = early.toListener;
  early.toListener.splice(0, 2, heads, m3);
  early.run();
  t.equal(early.code("listener"), "TUNNEL_MALFORMED", "a frame where M3 is due");
  t.throws(() => new Pair().dialler.frame(1), { name: "AssertionError" }, "nothing is sent before the session is open");
  t.end();
});

t.test("heads are taken to their bound and not beyond", (t) => {
  for (const [frames, code] of [
    [64, null],
    [65, "TUNNEL_TOO_LARGE"],
  ] as const) {
    const pair = new Pair();
    const handshake = new DiallerHandshake({
      ...edge,
      trust: world.trust,
      binding: bindingTo(gateway),
      random: seededRandom("heads"),
      peer: gateway.nodeId,
      counter: 1,
      heads: [],
    });
    pair.toListener.splice(0, 1, handshake.first);
    pair.step("listener");
    const { m3, keys } = handshake.answer(pair.toDialler.shift() ?? new Uint8Array(), () => {});
    const writer = new FrameWriter(keys.diallerToListener);
    const full = Array.from({ length: 512 }, (_, index) => head(index % 256));
    pair.toListener.push(m3);
    for (let frame = 1; frame <= frames; frame += 1) {
      pair.toListener.push(writer.write(6, encodeTcbor([frame === frames, headsToTcbor(full)])));
    }
    while (pair.step("listener")) {}
    t.equal(pair.code("listener"), code, `${frames * 512} heads`);
    t.equal(pair.listener.state, code === null ? "open" : "closed");
  }
  const many = Array.from({ length: 32_769 }, () => head(1));
  t.throws(() => new Pair({ heads: many }), { name: "AssertionError" });
  t.end();
});

t.test("a dialler learns roots and revoked list before it judges, and keeps them where the handshake fails", (t) => {
  const statements = [...world.laterRoots(2, 5), world.revoked(3, gateway)];
  const ahead = tunnelTrust(applyStatements(world.state, statements).state);
  const pair = new Pair({ listenerTrust: ahead }).run();
  t.equal(pair.code("dialler"), "TRUST_REVOKED");
  const learned = pair.effects.dialler.find((effect) => effect.kind === "learn");
  t.equal(learned?.kind === "learn" ? learned.statements.length : 0, 5);
  const slept = tunnelTrust(applyStatements(world.state, world.laterRoots(2, 60).slice(0, 30)).state);
  const far = tunnelTrust(
    applyStatements(applyStatements(world.state, world.laterRoots(2, 33)).state, world.laterRoots(34, 60)).state,
  );
  t.equal(far.rootVersion, 60);
  t.equal(far.statementsAbove(1).length, 32, "the others come at the next dial");
  t.ok(new Pair({ diallerTrust: slept, listenerTrust: far }).run().open);
  t.ok(new Pair({ diallerTrust: far, listenerTrust: slept }).run().open, "a listener behind its dialler");
  const same = new Pair({ diallerTrust: far, listenerTrust: far }).run();
  t.notOk(
    same.effects.dialler.some((effect) => effect.kind === "learn"),
    "nothing new, nothing to keep",
  );
  t.end();
});

t.test("a silent peer is pinged twice and then given up; a pong keeps the session", (t) => {
  const pair = new Pair({ times: { pingMs: 100 } }).run();
  const deadline = () => pair.dialler.deadline ?? 0;
  pair.now = deadline();
  pair.take("dialler", pair.dialler.tick(pair.now));
  pair.run();
  t.ok(pair.open, "answered");
  for (let ping = 0; ping < 2; ping += 1) {
    pair.now = deadline();
    pair.take("dialler", pair.dialler.tick(pair.now - 1));
    t.equal(pair.toListener.length, ping, "not before its time");
    pair.take("dialler", pair.dialler.tick(pair.now));
    t.equal(pair.toListener.length, ping + 1);
  }
  pair.now = deadline();
  pair.take("dialler", pair.dialler.tick(pair.now));
  t.equal(pair.code("dialler"), "TUNNEL_PEER_SILENT");
  t.equal(pair.dialler.deadline, null);
  t.end();
});

t.test("a session ends after 24 hours, and the other side knows why", (t) => {
  const pair = new Pair().run();
  const day = 86_400_000;
  for (let at = 0; at < day - 20_000; at += 20_000) {
    pair.now = 1_000 + at;
    pair.toListener.push(pair.dialler.frame(3, utf8("x")));
    pair.toDialler.push(pair.listener.frame(3, utf8("x")));
    pair.run();
  }
  pair.now = 1_000 + day - 1;
  pair.take("dialler", pair.dialler.tick(pair.now));
  t.ok(pair.open);
  pair.now += 1;
  pair.take("dialler", pair.dialler.tick(pair.now));
  pair.run();
  t.same([pair.code("dialler"), pair.code("listener")], ["TUNNEL_SESSION_ENDED", "TUNNEL_SESSION_ENDED"]);
  t.end();
});

t.test("a handshake has its time, on both sides", (t) => {
  const pair = new Pair({ times: { handshakeMs: 50 } });
  for (const side of ["dialler", "listener"] as const) {
    pair.take(side, pair[side].tick(1_049));
    t.equal(pair.code(side), null);
    pair.take(side, pair[side].tick(pair[side].deadline ?? 0));
    t.equal(pair.code(side), "TUNNEL_HANDSHAKE_TIMEOUT");
  }
  t.end();
});

t.test("an end is told with its reason, once, and a closed session does nothing any more", (t) => {
  const reasons: Record<string, string> = {
    TUNNEL_CLOSED: "TUNNEL_CLOSED",
    TUNNEL_SUPERSEDED: "TUNNEL_SUPERSEDED",
    TRUST_REVOKED: "TUNNEL_REFUSED_BY_PEER",
    STORE_IO: "TUNNEL_REFUSED_BY_PEER",
  };
  for (const [code, seen] of Object.entries(reasons)) {
    const pair = new Pair().run();
    pair.take("listener", pair.listener.end(code));
    t.same(pair.listener.end(code), []);
    t.same(pair.listener.receive(utf8("x"), pair.now), []);
    t.same(pair.listener.admit([], pair.now), []);
    pair.run();
    t.equal(pair.code("dialler"), seen);
    t.same(pair.dialler.lost("TUNNEL_CUT"), []);
  }
  const cut = new Pair().run();
  cut.take("dialler", cut.dialler.lost("TUNNEL_CUT"));
  t.equal(cut.code("dialler"), "TUNNEL_CUT");
  t.equal(cut.toListener.length, 0);
  t.end();
});
