import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { type Address, formatAddress } from "../../../agent/address/index.ts";
import { isException, type ProxyRoute, routeTo } from "../../../agent/proxy/index.ts";
import { readAuthorities } from "../../../agent/tunnel/inspection.ts";
import { maxInspectionCaBytes, maxProxyAnswerBytes } from "../../../agent/tunnel/limits.ts";
import { Secret } from "../../../protocol/base/index.ts";
import { type Weather, WeatherProxy } from "../../support/weather-proxy.ts";
import { item } from "./rig.ts";
import { authority, edgePeer, foreign, handles, peer, reported, SocketRig } from "./socket-rig.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-proxies-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const inspectorCa = join(folder, "inspector.pem");
writeFileSync(inspectorCa, foreign.certificate);
const otherCa = join(folder, "other.pem");
writeFileSync(otherCa, authority.certificate);
const inspector = foreign.issue("inspector");

function route(address: Address | null, options: { login?: string; ca?: string; except?: readonly string[] } = {}): ProxyRoute {
  const { login, ca, except = [] } = options;
  return {
    address,
    except,
    inspectionCa: ca ?? null,
    login: () => (login === undefined ? null : Secret.fromText(login)),
  };
}

interface Case {
  readonly weather: Weather;
  readonly login?: string;
  readonly ca?: string;
  readonly allowProxies?: boolean;
  /** Null: a session opens. */
  readonly code: string | null;
}

/** Dials the gateway through a proxy of this weather, and looks how the first attempt ends. */
async function attempt(t: Test, { weather, login, ca, allowProxies = false, code }: Case): Promise<void> {
  const before = await handles();
  const rig = new SocketRig();
  const { address } = await rig.listen({ server: { allowProxies } });
  const proxy = await WeatherProxy.start(weather);
  const options = { ...(login === undefined ? {} : { login }), ...(ca === undefined ? {} : { ca }) };
  rig.edge.mailroom.put(item(1, "up", 200_000));
  const tunnel = rig.dial(formatAddress(address), edgePeer.tls, rig.edge, route(proxy.address, options));
  if (code === null) {
    await rig.gateway.mailroom.until(() => rig.gateway.mailroom.arrived.length === 1);
    t.match(tunnel.status(), { state: "open", facts: { peer: { name: "node-41" } } });
  } else {
    while (tunnel.status().state === "connecting") await new Promise((resolve) => setImmediate(resolve));
    t.match(tunnel.status(), { state: "waiting", lastCode: code, lastHeardMs: null });
    t.type((tunnel.status() as { lastHint?: unknown }).lastHint, /^(?!LINK_PROXY_UNREACHABLE)/.test(code) ? "string" : Object);
  }
  if (weather.to === undefined) t.same(proxy.asked, [formatAddress(address)], "the proxy is asked for the place, by its name");
  t.notMatch(JSON.stringify(rig.edge.events), login ?? "no login at all", "the login is told to nobody");
  await rig.close();
  await proxy.close();
  t.same(await handles(), before, "nothing is left");
}

const long = (bytes: number) => `HTTP/1.1 403 No\r\nX: ${"x".repeat(bytes - 20)}`;
const cases: Record<string, Case> = {
  "CONNECT that passes": { weather: {}, code: null },
  "a login that is wanted and given": { weather: { login: "plant:s3cret:x" }, login: "plant:s3cret:x", code: null },
  "a login that is wanted and not given": { weather: { login: "plant:s3cret" }, code: "LINK_PROXY_LOGIN" },
  "another login than is wanted": { weather: { login: "plant:s3cret" }, login: "plant:other", code: "LINK_PROXY_LOGIN" },
  "a refusal": { weather: { answer: { bytes: "HTTP/1.1 403 Forbidden\r\n\r\n", ends: true } }, code: "LINK_PROXY_REFUSED" },
  "what is no HTTP": { weather: { answer: { bytes: "SSH-2.0-x\r\n\r\n", ends: false } }, code: "LINK_PROXY_ANSWER" },
  "more than an answer": {
    weather: { answer: { bytes: "HTTP/1.1 200 OK\r\n\r\nhello", ends: false } },
    code: "LINK_PROXY_ANSWER",
  },
  "a header below the limit": {
    weather: { answer: { bytes: `${long(maxProxyAnswerBytes - 1)}\r\n\r\n`, ends: false } },
    code: "LINK_PROXY_REFUSED",
  },
  "a header at the limit": {
    weather: { answer: { bytes: `${long(maxProxyAnswerBytes)}\r\n\r\n`, ends: false } },
    code: "LINK_PROXY_REFUSED",
  },
  "a header above the limit": {
    weather: { answer: { bytes: `${long(maxProxyAnswerBytes + 1)}\r\n\r\n`, ends: false } },
    code: "LINK_PROXY_ANSWER",
  },
  "an inspector, configured at both ends": { weather: { inspector }, ca: inspectorCa, allowProxies: true, code: null },
  "an old inspector, configured at both ends": {
    weather: { inspector, old: true },
    ca: inspectorCa,
    allowProxies: true,
    code: null,
  },
  "an inspector that nobody configured": { weather: { inspector }, code: "LINK_INSPECTED" },
  "an inspector that only the listener allows": { weather: { inspector }, allowProxies: true, code: "LINK_INSPECTED" },
  "an inspector that only the dialler knows": { weather: { inspector }, ca: inspectorCa, code: "LINK_MODE_REFUSED" },
  "an inspector of another authority": {
    weather: { inspector },
    ca: otherCa,
    allowProxies: true,
    code: "LINK_INSPECTION_CA",
  },
  "an inspector that is configured and not there": {
    weather: {},
    ca: inspectorCa,
    allowProxies: true,
    code: "LINK_INSPECTION_CA",
  },
  "an old inspector that nobody configured": { weather: { inspector, old: true }, code: "LINK_TLS" },
  "an inspector that takes the upgrade out": {
    weather: { inspector, strips: true },
    ca: inspectorCa,
    allowProxies: true,
    code: "LINK_UPGRADE_STRIPPED",
  },
  "an unknown inspector that takes the upgrade out": { weather: { inspector, strips: true }, code: "LINK_INSPECTED" },
};

for (const [name, each] of Object.entries(cases)) {
  t.test(`a proxy: ${name}: ${each.code ?? "a session"}`, (t) => attempt(t, each));
}

t.test("a proxy that is not there, one that hangs up and one that says nothing", async (t) => {
  const before = await handles();
  const rig = new SocketRig();
  const { address } = await rig.listen();
  const gone = await WeatherProxy.start();
  const goneAt = gone.address;
  await gone.close();
  const hangsUp = await WeatherProxy.start({ answer: { bytes: "", ends: true } });
  const silent = await WeatherProxy.start({ answer: { bytes: "", ends: false } });
  for (const [at, code] of [
    [goneAt, "LINK_PROXY_UNREACHABLE"],
    [hangsUp.address, "LINK_PROXY_UNREACHABLE"],
    [silent.address, "LINK_TIMEOUT"],
  ] as const) {
    const node = rig.node(edgePeer.member, code);
    const tunnel = rig.dial(formatAddress(address), edgePeer.tls, node, route(at));
    if (code === "LINK_TIMEOUT") {
      while (silent.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
      await rig.clock.advance(60_000);
    }
    await reported(node, "tunnel.dial-failed");
    t.match(tunnel.status(), { lastCode: code });
    await tunnel.close();
  }
  await rig.close();
  await hangsUp.close();
  await silent.close();
  t.same(await handles(), before);
});

t.test("a file of authorities that is not there, is empty or too large is named", async (t) => {
  const rig = new SocketRig();
  const { address } = await rig.listen({ server: { allowProxies: true } });
  for (const [bytes, ok] of [
    [maxInspectionCaBytes - 1, true],
    [maxInspectionCaBytes, true],
    [maxInspectionCaBytes + 1, false],
  ] as const) {
    const path = join(folder, `${bytes}.pem`);
    writeFileSync(path, foreign.certificate.padEnd(bytes));
    if (ok) t.equal(readAuthorities(path).length, 1);
    else t.throws(() => readAuthorities(path), { code: "LINK_INSPECTION_CA" });
  }
  const empty = join(folder, "empty.pem");
  writeFileSync(empty, "no certificate\n");
  for (const ca of [join(folder, "missing.pem"), empty]) {
    const node = rig.node(edgePeer.member, ca);
    const tunnel = rig.dial(formatAddress(address), edgePeer.tls, node, route(null, { ca }));
    await reported(node, "tunnel.dial-failed");
    t.match(tunnel.status(), { lastCode: "LINK_INSPECTION_CA" }, ca);
  }
  await rig.close();
});

t.test("behind an inspector our own handshake still proves who is there, and that nothing was changed", async (t) => {
  const rig = new SocketRig();
  const impostor = peer(43, 1);
  const { address } = await rig.listen({ server: { allowProxies: true } });
  const elsewhere = new SocketRig();
  const other = await elsewhere.listenAs(impostor, { allowProxies: true });
  const led = await WeatherProxy.start({ to: other.address, inspector });
  const astray = rig.node(edgePeer.member, "astray");
  rig.dial(formatAddress(led.address), edgePeer.tls, astray, route(null, { ca: inspectorCa }));
  await reported(astray, "tunnel.closed");
  t.match(astray.closedCodes, [/^TUNNEL_(REFUSED_BY_PEER|WRONG_PEER)$/], "an inspector that leads to another node");
  const through = await WeatherProxy.start({ to: address, inspector });
  rig.dial(formatAddress(through.address), edgePeer.tls, rig.edge, route(null, { ca: inspectorCa }));
  await reported(rig.edge, "tunnel.opened");
  t.equal(rig.gateway.count("tunnel.opened"), 1);
  await rig.close();
  await elsewhere.close();
  await led.close();
  await through.close();
});

t.test("what is excepted is dialled straight, without proxy and without inspection", async (t) => {
  const rig = new SocketRig();
  const { address } = await rig.listen();
  const proxy = await WeatherProxy.start({ inspector });
  for (const except of [["127.0.0.1"], ["10.0.0.0/8", "127.0.0.0/8"]]) {
    const node = rig.node(edgePeer.member, except.join());
    node.counter = except.length * 10;
    rig.dial(formatAddress(address), edgePeer.tls, node, route(proxy.address, { ca: inspectorCa, except }));
    await reported(node, "tunnel.opened");
  }
  t.same(proxy.asked, []);
  await rig.close();
  await proxy.close();
});

t.test("exceptions are hosts, domains, addresses and networks, and cover nothing else", (t) => {
  const proxied = route({ host: "proxy", port: 3128 });
  for (const [exception, host, covered] of [
    ["vault.plant.example", "VAULT.plant.example", true],
    ["vault.plant.example", "a.vault.plant.example", false],
    [".plant.example", "vault.plant.example", true],
    [".plant.example", "plant.example", true],
    [".plant.example", "notplant.example", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.30", false],
    ["10.1.0.0/16", "10.1.255.1", true],
    ["10.1.0.0/16", "10.2.0.1", false],
    ["10.1.0.0/16", "host", false],
    ["fd00::/8", "fd12::1", true],
    ["fd00::1", "fd00:0::1", true],
    ["0.0.0.0/0", "9.9.9.9", true],
  ] as const) {
    t.ok(isException(exception), exception);
    t.equal(routeTo({ ...proxied, except: [exception] }, host) === null, covered, `${exception} ${host}`);
  }
  for (const bad of ["", "*", "http://x", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "a b", "fd00::/129", "host:1", "..x"])
    t.notOk(isException(bad), bad);
  t.equal(routeTo(null, "host"), null);
  t.end();
});

t.test("a join goes through the proxy as well", async (t) => {
  const rig = new SocketRig();
  const { address } = await rig.listen();
  const proxy = await WeatherProxy.start({ login: "a:b" });
  const { requestJoin, socketDial } = await import("../../../agent/tunnel/index.ts");
  const join = (login: string) => {
    const dial = socketDial(null, route(proxy.address, { login }));
    return requestJoin({ address: formatAddress(address), carrier: Uint8Array.of(7, 8), dial, seams: rig.edge.seams });
  };
  t.same(await join("a:b"), Uint8Array.of(8, 7));
  await t.rejects(join("a:c"), { code: "LINK_PROXY_LOGIN" });
  await rig.close();
  await proxy.close();
});
