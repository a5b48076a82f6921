import { once } from "node:events";
import { request } from "node:https";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import t, { type Test } from "tap";
import { WebSocket } from "ws";
import { formatAddress, parseAddress } from "../../../agent/address/index.ts";
import { clientTlsOptions, directBinding } from "../../../agent/tls/index.ts";
import {
  type DialledTunnel,
  joinPath,
  listenTunnel,
  requestJoin,
  socketDial,
  socketListen,
  type TunnelListener,
  tunnelPath,
} from "../../../agent/tunnel/index.ts";
import { utf8 } from "../../../protocol/base/index.ts";
import type { SampleTls } from "../../support/tunnel-certificates.ts";
import type { TunnelMember } from "../../support/tunnel-members.ts";
import { item } from "./rig.ts";
import { authority, edgePeer, foreign, gatewayPeer, handles, peer, SocketRig as Rig, reported } from "./socket-rig.ts";

t.test("a session over TLS 1.3 with certificates of 1971; items cross; closing leaves no handle", async (t) => {
  const before = await handles();
  const rig = new Rig();
  rig.edge.mailroom.put(item(1, "up", 3_000_000), item(2, "other"));
  rig.gateway.mailroom.put(item(3, "down", 200_000));
  const listener = await rig.listen();
  const tunnel = rig.dial(formatAddress(listener.address));
  await rig.gateway.mailroom.until(() => rig.gateway.mailroom.arrived.length === 2);
  await rig.edge.mailroom.until(() => rig.edge.mailroom.arrived.length === 1 && rig.edge.mailroom.answers.length === 2);
  t.match(tunnel.status(), { state: "open", facts: { peer: { role: 1 }, remote: formatAddress(listener.address) } });
  t.match(listener.sessionFor(rig.edge.nodeId), { remote: /^127\.0\.0\.1:\d+$/ });
  await rig.close();
  await rig.close();
  t.same(rig.gateway.closedCodes, ["TUNNEL_CLOSED"]);
  t.same(await handles(), before);
});

t.test("IPv6 in brackets", async (t) => {
  const rig = new Rig();
  const listener = await rig.listen({ host: "[::1]" });
  t.match(formatAddress(listener.address), /^\[::1\]:\d+$/);
  const tunnel = rig.dial(formatAddress(listener.address));
  await reported(rig.edge, "tunnel.opened");
  t.equal(tunnel.status().state, "open");
  await rig.close();
  t.same(parseAddress("[::1]:0"), { host: "::1", port: 0 });
  t.same(parseAddress("10.1.2.3.example:1"), { host: "10.1.2.3.example", port: 1 });
  for (const text of ["300.1.1.1:1", "1.2.3:1", "10:1", "127.0.0.1:65536", "[1.2.3.4]:1"])
    t.throws(() => parseAddress(text), { code: "ADDRESS_INVALID", hint: /./ }, text);
});

const outsider = peer(42, 2, foreign);
const swapped = authority.issue("swapped");

const wrong: Record<
  string,
  { dialler?: SampleTls; member?: TunnelMember; listener?: SampleTls; at: "edge" | "gateway"; code: string }
> = {
  "a dialler whose certificate another CA signed": {
    dialler: outsider.tls,
    member: outsider.member,
    at: "gateway",
    code: "TUNNEL_TLS_CHAIN",
  },
  "a dialler with a good certificate for another key": { dialler: swapped, at: "gateway", code: "TUNNEL_TLS_KEY" },
  "a listener with a good certificate for another key": { listener: swapped, at: "edge", code: "TUNNEL_TLS_KEY" },
};

for (const [name, { dialler, member, listener: listenerTls, at, code }] of Object.entries(wrong)) {
  t.test(`refused: ${name}`, async (t) => {
    const rig = new Rig();
    const listener = await rig.listen(listenerTls === undefined ? {} : { tls: listenerTls });
    const node = rig.node(member ?? edgePeer.member, "dialler");
    rig.dial(formatAddress(listener.address), dialler ?? edgePeer.tls, node);
    await reported(at === "edge" ? node : rig.gateway, "tunnel.closed");
    t.same((at === "edge" ? node : rig.gateway).closedCodes, [code]);
    await rig.close();
  });
}

t.test("without a certificate the tunnel path is shut and the join path open", async (t) => {
  const rig = new Rig();
  const listener = await rig.listen();
  const address = formatAddress(listener.address);
  const signal = new AbortController().signal;
  const target = { address: listener.address, path: tunnelPath, maxMessageBytes: 1_000 } as const;
  await t.rejects(socketDial(null)(target, signal), { code: "LINK_UNREACHABLE", message: /403/ });
  const join = (carrier: Uint8Array) => requestJoin({ address, carrier, dial: socketDial(null), seams: rig.edge.seams });
  t.same(await join(Uint8Array.of(7, 8, 9)), Uint8Array.of(9, 8, 7));
  await t.rejects(join(Uint8Array.of(1)), { code: "LINK_JOIN_REFUSED", refusal: "JOIN_CODE_SPENT" });
  t.equal(rig.gateway.count("join.answered"), 1);
  t.equal(rig.gateway.count("join.refused"), 1);
  await rig.close();
});

t.test("nobody at the address, a name that does not resolve, an address in use: a code and no handle", async (t) => {
  const before = await handles();
  const rig = new Rig();
  const listener = await rig.listen();
  const { address } = listener;
  await t.rejects(rig.gateway && listenOn(rig, formatAddress(address)), { code: "LINK_LISTEN", hint: /Another process/ });
  await listener.close();
  rig.dial(formatAddress(address));
  await reported(rig.edge, "tunnel.dial-failed");
  const nowhere = rig.node(edgePeer.member, "nowhere");
  rig.dial("name.invalid:7443", edgePeer.tls, nowhere);
  await reported(nowhere, "tunnel.dial-failed");
  t.match(rig.edge.events, [{ name: "tunnel.dial-failed", code: "LINK_UNREACHABLE" }]);
  await rig.close();
  t.same(await handles(), before);
});

function listenOn(rig: Rig, address: string): Promise<TunnelListener> {
  const { gateway } = rig;
  const listen = socketListen(gatewayPeer.tls);
  return listenTunnel({ node: gateway, address, listen, admit: () => true, report: gateway.report });
}

t.test("what is no tunnel is turned away: other paths, plain HTTP, old TLS, text, too much", async (t) => {
  const rig = new Rig();
  const { address } = await rig.listen();
  const { host, port } = address;
  const options = clientTlsOptions(edgePeer.tls);
  const status = await new Promise((resolve) => {
    request({ host, port, path: "/", ...options }, (response) => resolve(response.resume().statusCode)).end();
  });
  t.equal(status, 404);
  const other = new WebSocket(`wss://${formatAddress(address)}/other`, options);
  const [error] = await once(other, "error");
  t.match(error, { message: /404/ });
  const old = connectTls({ host, port, rejectUnauthorized: false, maxVersion: "TLSv1.2", minVersion: "TLSv1.2" });
  const [refused] = await once(old, "error");
  t.match(refused, { code: /ALERT_PROTOCOL_VERSION/ });
  for (const [path, message, code] of [
    [tunnelPath, "text", 1003],
    [tunnelPath, new Uint8Array(65_578), 1009],
    [tunnelPath, new Uint8Array(600), 4004],
    [joinPath, new Uint8Array(131_073), 1009],
  ] as const) {
    const socket = new WebSocket(`wss://${formatAddress(address)}${path}`, options);
    await once(socket, "open");
    t.equal(socket.extensions, "", "no compression");
    socket.send(message);
    const [closed] = await once(socket, "close");
    t.equal(closed, code, `${path} ${typeof message} ${message.length}`);
  }
  await rig.close();
});

t.test("a TLS session is never resumed", async (t) => {
  const rig = new Rig();
  const { address } = await rig.listen();
  const sessions: Buffer[] = [];
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const [session] = sessions;
    const offer = session === undefined ? {} : { session };
    const socket = connectTls({ ...address, ...clientTlsOptions(edgePeer.tls), ...offer });
    socket.on("session", (ticket) => sessions.push(ticket));
    await once(socket, "secureConnect");
    t.notOk(socket.isSessionReused());
    socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await once(socket, "data");
    t.equal(directBinding(socket).exporter.length, 32);
    socket.destroy();
    await once(socket, "close");
    t.throws(() => directBinding(socket), { code: "TLS_NOT_FRESH" }, "of a connection that is over nothing is believed");
  }
  t.ok(sessions.length > 0, "a ticket was there to try");
  await rig.close();
});

t.test("few shake hands at a time, each address has its own line, and known peers take no place", async (t) => {
  const limits = { total: 2, perAddress: 1, waiting: 3, timeMs: 60_000, waitMs: 60_000 };
  const rig = new Rig();
  const { address } = await rig.listen({ host: "127.0.0.2", server: { limits } });
  const tunnel = rig.dial(formatAddress(address));
  await reported(rig.edge, "tunnel.opened");
  const sockets: Socket[] = [];
  const from = async (localAddress: string) => {
    const socket = connectTcp({ ...address, localAddress });
    socket.on("error", () => {});
    sockets.push(socket);
    await once(socket, "connect");
    return socket;
  };
  const greedy = "127.0.0.3";
  const [shaking, ...waiting] = [await from(greedy), await from(greedy), await from(greedy), await from(greedy)];
  const closed = once(await from(greedy), "close");
  await closed;
  t.same(
    [shaking, ...waiting].map((socket) => socket?.destroyed),
    [false, false, false, false],
    "one place and three in line; the newest of the longest line goes",
  );
  const modest = rig.node(edgePeer.member, "modest");
  modest.counter = 10;
  rig.dial(formatAddress(address), edgePeer.tls, modest);
  await reported(modest, "tunnel.opened");
  t.pass("another address has its turn all the same");
  shaking?.destroy();
  t.not(tunnel.status().state, "closed");
  await rig.close();
  for (const socket of sockets) socket.destroy();
});

t.test("a handshake has its time, and so has a turn that does not come", async (t) => {
  for (const limits of [
    { total: 1, perAddress: 1, waiting: 9, timeMs: 20, waitMs: 60_000 },
    { total: 0, perAddress: 1, waiting: 9, timeMs: 60_000, waitMs: 20 },
  ]) {
    const rig = new Rig();
    const { address } = await rig.listen({ server: { limits } });
    const slow = connectTcp(address);
    slow.on("error", () => {});
    await once(slow, "close");
    t.equal(rig.gateway.count("tunnel.closed"), 0, "nobody is known yet, and nothing is told");
    await rig.close();
  }
});

/** A cable that is pulled after some bytes. */
async function cuttingProxy(target: {
  host: string;
  port: number;
}): Promise<{ port: number; budget: number; close(): Promise<void> }> {
  const proxy = { port: 0, budget: Number.POSITIVE_INFINITY, close: () => Promise.resolve() };
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connectTcp(target);
    const cut = () => {
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on("error", cut);
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
      from.on("data", (data) => {
        proxy.budget -= data.length;
        if (proxy.budget < 0) cut();
        else to.write(data);
      });
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  proxy.port = typeof address === "object" && address !== null ? address.port : 0;
  proxy.close = () => {
    for (const socket of open) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return proxy;
}

t.test(
  "200 connections cut at every place: one session stands at the end, and no handle or timer is left of them",
  async (t) => {
    const before = await handles();
    const rig = new Rig();
    const listener = await rig.listen();
    const proxy = await cuttingProxy(listener.address);
    rig.edge.mailroom.put(item(1, "large", 2_000_000));
    proxy.budget = 0;
    const tunnel = rig.dial(`127.0.0.1:${proxy.port}`);
    for (let cut = 0; cut < 200; cut += 1) {
      await waiting(tunnel);
      proxy.budget = cut * 67;
      await rig.clock.advance(rig.clock.nextInMs ?? 0);
    }
    await waiting(tunnel);
    t.equal(rig.clock.pending, 1, "the next dial's");
    proxy.budget = Number.POSITIVE_INFINITY;
    const openedBefore = rig.edge.count("tunnel.opened");
    await rig.clock.advance(rig.clock.nextInMs ?? 0);
    await reported(rig.edge, "tunnel.opened", openedBefore);
    await rig.gateway.mailroom.until(() => rig.gateway.mailroom.arrived.length > 0);
    t.equal(listener.sessions().length, 1);
    await rig.close();
    await proxy.close();
    t.same(await handles(), before);
  },
);

/** Until the tunnel waits for its next dial. */
async function waiting(tunnel: DialledTunnel): Promise<void> {
  while (tunnel.status().state !== "waiting") await new Promise((resolve) => setImmediate(resolve));
}

t.test("closing while connections are half made leaves nothing", async (t: Test) => {
  const before = await handles();
  for (let turns = 0; turns < 12; turns += 1) {
    const rig = new Rig();
    const listener = await rig.listen();
    const tunnel = rig.dial(formatAddress(listener.address));
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const raw = connectTcp(listener.address);
    raw.on("error", () => {});
    raw.write(utf8("x"));
    if (turns % 2 === 0) await tunnel.close();
    await rig.close();
    raw.destroy();
    t.equal(rig.clock.pending, 0);
  }
  t.same(await handles(), before);
});
