import { type ChildProcess, spawn } from "node:child_process";
import dns from "node:dns";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import t from "tap";
import { formatAddress } from "../../../agent/address/index.ts";
import { WeatherProxy } from "../../support/weather-proxy.ts";
import { item } from "./rig.ts";
import { edgePeer, handles, reported, SocketRig } from "./socket-rig.ts";

// Real sockets on a busy machine.
t.setTimeout(120_000);

t.test(
  "an established connection that falls silent: two pings are missed, then it is dead at both ends, and comes back",
  async (t) => {
    const before = await handles();
    const rig = new SocketRig();
    const { address } = await rig.listen();
    const wire = await WeatherProxy.start({ to: address });
    const tunnel = rig.dial(formatAddress(wire.address));
    await reported(rig.edge, "tunnel.opened");
    const heardMs = rig.clock.sinceBootMs();
    wire.swallow();
    await rig.clock.advance(89_999);
    t.equal(tunnel.status().state, "open", "two pings are out, and nothing was heard");
    await rig.clock.advance(1);
    await reported(rig.edge, "tunnel.closed");
    await reported(rig.gateway, "tunnel.closed");
    t.same([rig.edge.closedCodes, rig.gateway.closedCodes], [["TUNNEL_PEER_SILENT"], ["TUNNEL_PEER_SILENT"]]);
    const away = { state: "waiting", lastCode: "TUNNEL_PEER_SILENT", lastHeardMs: heardMs, sinceMs: heardMs + 90_000 };
    t.match(tunnel.status(), away, "which hop is stale, why and since when");
    await rig.clock.advance(1_000);
    await reported(rig.edge, "tunnel.opened", 1);
    t.equal(tunnel.status().state, "open");
    await rig.close();
    await wire.close();
    t.same(await handles(), before);
  },
);

t.test(
  "the other end restarted and knows nothing of us: what it half has is given up, and the newest handshake wins",
  async (t) => {
    const rig = new SocketRig();
    const first = await rig.listen();
    const { port } = first.address;
    const wire = await WeatherProxy.start({ to: first.address });
    const tunnel = rig.dial(formatAddress(wire.address));
    await reported(rig.edge, "tunnel.opened");
    // The gateway loses power: no packet tells the edge.
    wire.swallow();
    await first.close();
    const second = await rig.listen({ port });
    await rig.clock.advance(90_000);
    await reported(rig.edge, "tunnel.closed");
    await rig.clock.advance(1_000);
    await reported(rig.edge, "tunnel.opened", 1);
    t.equal(second.sessions().length, 1);
    // The edge loses power: the gateway still holds its session when it dials again.
    wire.swallow();
    const ended = rig.gateway.count("tunnel.closed");
    const rebooted = rig.node(edgePeer.member, "rebooted");
    rebooted.counter = rig.edge.counter;
    rig.dial(formatAddress(wire.address), edgePeer.tls, rebooted);
    await reported(rebooted, "tunnel.opened");
    t.equal(second.sessions().length, 1, "one session a node, the newest");
    await reported(rig.gateway, "tunnel.closed", ended);
    t.equal(rig.gateway.closedCodes.at(-1), "TUNNEL_SUPERSEDED");
    t.equal(tunnel.status().state, "open", "the old end has yet to notice");
    await rig.close();
    await wire.close();
  },
);

t.test("a frame cut at every byte: the session ends, nothing of the frame is believed, and the next one stands", async (t) => {
  const before = await handles();
  const rig = new SocketRig();
  const listener = await rig.listen();
  const wire = await WeatherProxy.start({ to: listener.address });
  const tunnel = rig.dial(formatAddress(wire.address));
  let cuts = 0;
  for (let bytes = 0; ; bytes += 1) {
    await reported(rig.edge, "tunnel.opened", cuts);
    await reported(rig.gateway, "tunnel.opened", cuts);
    const ends = rig.gateway.count("tunnel.closed");
    wire.budget = bytes;
    // Silence for half a minute: each end sends a ping of 41 bytes, in WebSocket and TLS.
    await rig.clock.advance(30_000);
    const passed = () => wire.budget >= 0 && rig.clock.pending === 2;
    const over = () => rig.gateway.count("tunnel.closed") > ends && tunnel.status().state === "waiting";
    while (!over() && !(bytes > 80 && passed())) await new Promise((resolve) => setImmediate(resolve));
    if (!over()) break;
    cuts += 1;
    wire.budget = Number.POSITIVE_INFINITY;
    await rig.clock.advance(rig.clock.nextInMs ?? 0);
    if (bytes > 400) break;
  }
  wire.budget = Number.POSITIVE_INFINITY;
  t.ok(cuts >= 41 + 6 + 22, `${cuts} cuts: frame, WebSocket header and TLS record`);
  t.same([...new Set([...rig.gateway.closedCodes, ...rig.edge.closedCodes])], ["TUNNEL_CUT"]);
  rig.edge.mailroom.put(item(1, "after the cuts"));
  tunnel.wake();
  await rig.gateway.mailroom.until(() => rig.gateway.mailroom.arrived.length === 1);
  t.equal(listener.sessions().length, 1);
  t.equal(wire.connections, 1, "one live connection");
  await rig.close();
  await wire.close();
  t.same(await handles(), before);
});

t.test("a name that moves is looked up at each dial", async (t) => {
  const rig = new SocketRig();
  const first = await rig.listen({ host: "127.0.0.2" });
  const { port } = first.address;
  const asked: string[] = [];
  let now = "127.0.0.2";
  const { lookup } = dns;
  t.teardown(() => {
    dns.lookup = lookup;
  });
  dns.lookup = ((name: string, ...rest: unknown[]) => {
    if (!name.startsWith("gateway.")) return (lookup as (...all: unknown[]) => void)(name, ...rest);
    asked.push(name);
    const done = rest.at(-1) as (error: null, found: unknown, family?: number) => void;
    const { all } = rest[0] as { all?: boolean };
    queueMicrotask(() => (all === true ? done(null, [{ address: now, family: 4 }]) : done(null, now, 4)));
  }) as typeof lookup;
  const tunnel = rig.dial(`gateway.plant.example:${port}`);
  await reported(rig.edge, "tunnel.opened");
  await first.close();
  await reported(rig.edge, "tunnel.closed");
  await rig.listen({ host: "127.0.0.3", port });
  now = "127.0.0.3";
  await rig.clock.advance(1_000);
  await reported(rig.edge, "tunnel.opened", 1);
  t.match(tunnel.status(), { state: "open", facts: { remote: `127.0.0.3:${port}` } });
  t.same(asked, ["gateway.plant.example", "gateway.plant.example"]);
  await rig.close();
});

/** A server process that is stopped, so that the kernel's own queue of its port fills up and drops every further SYN. */
async function stoppedServer(): Promise<{ child: ChildProcess; port: number }> {
  const script = `require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, function () {
    process.stdout.write(String(this.address().port) + "\\n");
  });`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  child.kill("SIGSTOP");
  return { child, port: Number(line.toString()) };
}

t.test("a black hole, in which connections are dropped or never answered, has its own code, and is tried again", async (t) => {
  const { child, port } = await stoppedServer();
  const crowd: Socket[] = [];
  t.teardown(() => {
    for (const socket of crowd) socket.destroy();
    child.kill("SIGKILL");
  });
  for (let count = 0; count < 6; count += 1) {
    const socket = connectTcp({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    crowd.push(socket);
  }
  await once(crowd[0] as Socket, "connect");
  const rig = new SocketRig();
  const tunnel = rig.dial(`127.0.0.1:${port}`);
  await rig.clock.advance(59_999);
  t.match(tunnel.status(), { state: "connecting" });
  await rig.clock.advance(1);
  await reported(rig.edge, "tunnel.dial-failed");
  t.match(tunnel.status(), { state: "waiting", lastCode: "LINK_TIMEOUT", lastHint: String, lastHeardMs: null });
  await rig.clock.advance(1_000);
  t.match(tunnel.status(), { state: "connecting" });
  await rig.close();
});
