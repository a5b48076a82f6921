import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import t, { type Test } from "tap";
import { progressIn } from "../../../agent/forward/tcp-state.ts";
import { CollectorAuthority } from "../../support/collector-certificates.ts";
import { settled } from "../../support/manual-clock.ts";
import { shortFolder } from "../../support/short-folder.ts";
import { fill } from "../audit/rig.ts";
import { indexesIn, proven, real, rig, upTo } from "./real-rig.ts";

async function listening(t: Test, server: Server, where: { path: string } | { port: number } = { port: 0 }): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", ...where }, resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return "path" in where ? 0 : (server.address() as AddressInfo).port;
}

/** Takes everything, as a collector does: reads to the end, then ends. */
function reader(): { take: (socket: Socket) => void; text: () => string } {
  let text = "";
  return {
    take: (socket) => void socket.on("error", () => {}).on("data", (chunk) => (text += chunk.toString())),
    text: () => text,
  };
}

t.test("lines arrive over TCP and over a Unix socket, and the collector's end proves it", async (t) => {
  for (const kind of ["tcp", "unix"] as const) {
    const collector = reader();
    const path = join(shortFolder(t), "socket");
    const port = await listening(t, createServer(collector.take), kind === "unix" ? { path } : { port: 0 });
    const { sender, clock, feed } = rig(t, kind === "unix" ? { to: kind, path } : { to: kind, address: `127.0.0.1:${port}` });
    await proven(sender, clock, 100);
    t.same(indexesIn(collector.text()), upTo(100));
    t.equal(await feed.position("siem"), 100);
  }
});

t.test("syslog goes behind its length over a connection, and as lines into a file", async (t) => {
  for (const format of ["rfc5424", "cef"]) {
    const collector = reader();
    const port = await listening(t, createServer(collector.take));
    const { sender, clock } = rig(t, { format, to: "tcp", address: `127.0.0.1:${port}` }, 20);
    await proven(sender, clock, 20);
    let [rest, count] = [collector.text(), 0];
    for (; rest !== ""; count += 1) {
      const [digits = ""] = /^[1-9][0-9]* /.exec(rest) ?? [];
      t.match(rest.slice(digits.length), /^<10\d>1 /);
      rest = rest.slice(digits.length + Number(digits));
    }
    t.equal(count, 20);
    const path = join(shortFolder(t), "events.log");
    const file = rig(t, { format, to: "file", path }, 20);
    await proven(file.sender, file.clock, 20);
    const lines = readFileSync(path, "utf8").split("\n");
    t.equal(lines.length, 21);
    t.ok(lines.slice(0, 20).every((line) => line.startsWith(format === "cef" ? "CEF:0|" : "<")));
  }
});

t.test("a collector that accepts and never reads fills what the kernel holds, and nothing of ours", async (t) => {
  const server = createServer({ pauseOnConnect: true }, () => {});
  const port = await listening(t, server);
  const { sender, clock, feed, store, log } = rig(t, { to: "tcp", address: `127.0.0.1:${port}` }, 60_000);
  await real(() => sender.status().state === "sending");
  // Nothing is proven, so no second connection's worth is begun.
  for (let turns = 0; turns < 200; turns += 1) await settled();
  fill(store, log, 1);
  t.equal(log.head().size, 60_001, "the log goes on");
  while (sender.status().lastCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await clock.advance(1_000);
  }
  t.match(sender.status(), { state: "waiting", lastCode: "FORWARD_STALLED", sent: 0, next: 0 });
  t.equal(await feed.position("siem"), null);
});

t.test("a connection that is cut, ended early or reset proves nothing", async (t) => {
  const ways: Record<string, (socket: Socket) => void> = {
    "reset at once": (socket) => socket.resetAndDestroy(),
    "ended without reading": (socket) => void socket.pause().end(),
    "reset after some bytes": (socket) => void socket.once("data", () => socket.resetAndDestroy()),
  };
  for (const [name, way] of Object.entries(ways)) {
    const collector = reader();
    let connections = 0;
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      connections += 1;
      if (connections === 1) return way(socket);
      socket.on("end", () => socket.end());
      collector.take(socket);
    });
    const port = await listening(t, server);
    const { sender, clock, codes } = rig(t, { to: "tcp", address: `127.0.0.1:${port}` });
    // Only when the connection falls idle does it turn out that it is gone.
    await proven(sender, clock, 100);
    t.match(codes.join(), name === "reset at once" ? /^FORWARD_(CUT|UNREACHABLE)$/ : /^FORWARD_CUT$/, name);
    t.equal(connections, 3, `${name}: 64 leaves again, then the rest`);
    t.same([...new Set(indexesIn(collector.text()))], upTo(100), name);
  }
});

t.test("nobody at the address, a name that nobody has, and a collector without TLS are told apart", async (t) => {
  const folder = shortFolder(t);
  const ca = new CollectorAuthority(folder).file;
  const gone = createServer();
  const port = await listening(t, gone);
  await new Promise((resolve) => gone.close(resolve));
  const plain = await listening(
    t,
    createServer((socket) => socket.end("220 this is no TLS\r\n")),
  );
  const cases: [object, string][] = [
    [{ to: "tcp", address: `127.0.0.1:${port}` }, "FORWARD_UNREACHABLE"],
    [{ to: "tls", address: `127.0.0.1:${port}`, ca }, "FORWARD_UNREACHABLE"],
    [{ to: "unix", path: join(folder, "none") }, "FORWARD_UNREACHABLE"],
    [{ to: "tls", address: `127.0.0.1:${plain}`, ca }, "FORWARD_TLS"],
    [{ to: "tls", address: `127.0.0.1:${plain}`, ca: join(folder, "none.pem") }, "FORWARD_PEM"],
  ];
  for (const [target, code] of cases) {
    const { sender } = rig(t, target);
    await real(() => sender.status().lastCode !== null);
    t.match(sender.status(), { lastCode: code, state: "waiting" });
    t.type(sender.status().lastHint, "string");
  }
});

async function tlsCollector(t: Test, options: TlsOptions = {}) {
  const folder = shortFolder(t);
  const authority = new CollectorAuthority(folder);
  const files = authority.issue("collector", ["collector.test"]);
  const collector = reader();
  let secured = 0;
  const server = createTlsServer(
    { cert: readFileSync(files.certificate), key: readFileSync(files.key), ...options },
    (socket) => {
      secured += 1;
      collector.take(socket);
    },
  );
  server.on("tlsClientError", () => {});
  const port = await listening(t, server);
  const target = { to: "tls", address: `127.0.0.1:${port}`, ca: authority.file, serverName: "collector.test" };
  return { folder, authority, collector, target, secured: () => secured };
}

t.test("over TLS only the collector of the pinned authority, under its own name, is told anything", async (t) => {
  const { folder, collector, target } = await tlsCollector(t);
  const wrong = { ...target, ca: new CollectorAuthority(folder, "another-ca").file };
  const cases: [object, string][] = [
    [wrong, "FORWARD_UNTRUSTED"],
    [{ ...target, serverName: "another.test" }, "FORWARD_UNTRUSTED"],
    [{ ...target, serverName: null }, "FORWARD_UNTRUSTED"],
    [{ ...target, ca: join(folder, "empty.pem") }, "FORWARD_PEM"],
  ];
  writeFileSync(join(folder, "empty.pem"), "no certificate\n");
  for (const [refused, code] of cases) {
    const { sender } = rig(t, refused);
    await real(() => sender.status().lastCode !== null);
    t.equal(sender.status().lastCode, code);
  }
  t.equal(collector.text(), "");
  const { sender, clock } = rig(t, target);
  await proven(sender, clock, 100);
  t.same(indexesIn(collector.text()), upTo(100));
});

t.test("TLS 1.2 is enough, 1.1 is not", async (t) => {
  const { collector, target } = await tlsCollector(t, { maxVersion: "TLSv1.2" });
  const { sender, clock } = rig(t, target);
  await proven(sender, clock, 100);
  t.same(indexesIn(collector.text()), upTo(100));
  const old = await tlsCollector(t, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" });
  const refused = rig(t, old.target);
  await real(() => refused.sender.status().lastCode !== null);
  t.equal(refused.sender.status().lastCode, "FORWARD_TLS");
});

t.test("a collector may ask for a certificate of ours", async (t) => {
  const folder = shortFolder(t);
  const clients = new CollectorAuthority(folder, "client-ca");
  const options = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(clients.file) };
  const { collector, target } = await tlsCollector(t, options);
  const { sender: without, clock: first } = rig(t, target);
  while (without.status().lastCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (first.nextInMs === 1_000) await first.advance(1_000);
  }
  t.match(without.status().lastCode, /^FORWARD_(TLS|CUT)$/);
  t.equal(collector.text(), "");
  const own = clients.issue("edge-1");
  const { sender, clock } = rig(t, { ...target, ...own });
  await proven(sender, clock, 100);
  t.same(indexesIn(collector.text()), upTo(100));
  const { sender: keyless } = rig(t, { ...target, certificate: own.certificate, key: own.certificate });
  await real(() => keyless.status().lastCode !== null);
  t.equal(keyless.status().lastCode, "FORWARD_PEM");
});

t.test("the kernel's table tells whether the other machine has what was sent", async (t) => {
  const row = (local: string, remote: string, state: string, queue = "00000000") =>
    `   1: ${local} ${remote} ${state} ${queue}:00000000 00:00000000 00000000`;
  const little = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  const word = (text: string) => (little ? (text.match(/../g) ?? []).reverse().join("") : text);
  const [here, there] = [`${word("0A000001")}:9C40`, `${word("C0000207")}:1972`];
  const local = { localPort: 40_000, remoteAddress: "192.0.2.7", remotePort: 6514 };
  const others = [
    "  sl  local_address rem_address   st tx_queue rx_queue",
    row(here, `${word("C0000208")}:1972`, "01"),
    row(`${word("0A000001")}:9C41`, there, "01"),
    row(here, there, "06"),
  ].join("\n");
  const mapped = (address: string) => `0000000000000000${word("0000FFFF")}${address}`;
  const six = row(`${"0".repeat(32)}:9C40`, `${word("20010DB8")}${"0".repeat(16)}${word("00000001")}:1972`, "01");
  const cases: [table: string, remoteAddress: string, expected: string][] = [
    [others, "192.0.2.7", "over"],
    [`${others}\n${row(here, there, "01")}`, "192.0.2.7", "taken"],
    [`${others}\n${row(here, there, "01", "0000001A")}`, "192.0.2.7", "waiting"],
    [row(here, there, "08"), "192.0.2.7", "over"],
    [row(mapped(here), mapped(there), "01"), "192.0.2.7", "taken"],
    [six, "2001:db8::1", "taken"],
    [six, "2001:0db8:0:0:0:0:0:0001", "taken"],
    [six, "2001:db8::1%eth0", "taken"],
    [six, "2001:db8::2", "over"],
    ["", "192.0.2.7", "over"],
  ];
  for (const [table, remoteAddress, expected] of cases) t.equal(progressIn(table, { ...local, remoteAddress }), expected);
});
