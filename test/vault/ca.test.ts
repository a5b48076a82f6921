import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import t from "tap";
import { Authority, createAuthority } from "../../vault/ca/index.ts";

const random = (length: number) => new Uint8Array(randomBytes(length));
const nowMs = Date.UTC(2031, 0, 2, 3, 4, 5);
const made = createAuthority({ name: "Tidegate plant CA", nowMs, random });
const authority = new Authority(made);
const nodeKey = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const spki = new Uint8Array(nodeKey.publicKey.export({ format: "der", type: "spki" }));
const hosts = ["gateway.example", "127.20.0.1", "fd00::1"];
const issued = authority.issue({ commonName: "gateway-1", hosts, publicKey: spki, nowMs, random });

t.test("a node's certificate is read by Node as it was meant", async (t) => {
  const certificate = new X509Certificate(issued);
  const ca = new X509Certificate(made.certificate);
  t.equal(certificate.subject, "CN=gateway-1");
  t.equal(certificate.issuer, "CN=Tidegate plant CA");
  t.equal(certificate.checkHost("gateway.example"), "gateway.example");
  t.equal(certificate.checkIP("127.20.0.1"), "127.20.0.1");
  t.equal(certificate.checkIP("fd00::1"), "fd00::1");
  t.equal(certificate.checkHost("other.example"), undefined);
  t.equal(certificate.ca, false);
  t.equal(ca.ca, true);
  t.ok(certificate.checkIssued(ca));
  t.ok(certificate.verify(ca.publicKey));
  t.equal(new Date(certificate.validFrom).getTime(), nowMs);
  t.match(certificate.validTo, /9999/);
  t.ok(certificate.checkPrivateKey(nodeKey.privateKey));
});

t.test("two certificates never share a serial number", async (t) => {
  const again = authority.issue({ commonName: "gateway-1", hosts, publicKey: spki, nowMs, random });
  t.not(new X509Certificate(again).serialNumber, new X509Certificate(issued).serialNumber);
});

t.test("what is no host name and no key on P-256 is refused", async (t) => {
  for (const host of ["", "a b", "-x.example", "x..y", `${"a".repeat(64)}.example`, "*.example"]) {
    t.throws(
      () => authority.issue({ commonName: "n", hosts: [host], publicKey: spki, nowMs, random }),
      { code: "CA_NAME_REFUSED" },
      host,
    );
  }
  const other = generateKeyPairSync("ed25519").publicKey.export({ format: "der", type: "spki" });
  for (const publicKey of [new Uint8Array(other), new Uint8Array(10)]) {
    t.throws(() => authority.issue({ commonName: "n", hosts: [], publicKey, nowMs, random }), { code: "CA_KEY_REFUSED" });
  }
});

t.test("a TLS 1.3 client that trusts only the authority reaches a server with an issued certificate", async (t) => {
  const current = createAuthority({ name: "ca", nowMs: Date.now() - 60_000, random });
  const cert = new Authority(current).issue({
    commonName: "g",
    hosts: ["127.0.0.1"],
    publicKey: spki,
    nowMs: Date.now() - 60_000,
    random,
  });
  const server = createServer({
    cert,
    key: nodeKey.privateKey.export({ format: "pem", type: "pkcs8" }),
    minVersion: "TLSv1.3",
  });
  server.on("secureConnection", (socket) => socket.end("ok"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const socket = connect({ host: "127.0.0.1", port, ca: current.certificate, minVersion: "TLSv1.3" });
  await new Promise<void>((resolve, reject) => socket.on("secureConnect", resolve).on("error", reject));
  t.ok(socket.authorized);
  socket.destroy();
});

const openssl = peerVersion();
const skip =
  openssl === null && process.env["REQUIRE_PEERS"] !== "1"
    ? "openssl is not installed: its verdict on our certificates was NOT asked"
    : false;
t.test("openssl verifies the chain and refuses another authority's", { skip }, async (t) => {
  t.ok(openssl, "openssl is installed");
  t.comment(`peer: openssl ${openssl}`);
  const folder = mkdtempSync(join(tmpdir(), "tidegate-ca-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const files = { ca: join(folder, "ca.pem"), node: join(folder, "node.pem"), other: join(folder, "other.pem") };
  writeFileSync(files.ca, made.certificate);
  writeFileSync(files.node, issued);
  writeFileSync(files.other, createAuthority({ name: "Tidegate plant CA", nowMs, random }).certificate);
  const at = String(nowMs / 1000 + 60);
  const verify = (ca: string) =>
    execFileSync("openssl", ["verify", "-x509_strict", "-attime", at, "-verify_ip", "127.20.0.1", "-CAfile", ca, files.node], {
      stdio: "pipe",
    });
  t.match(verify(files.ca).toString(), /OK/);
  t.throws(() => verify(files.other));
});

t.test("the authority's private key is a P-256 key and stands apart from its certificate", async (t) => {
  const key = createPrivateKey({ key: Buffer.from(made.privateKey), format: "der", type: "pkcs8" });
  t.ok(new X509Certificate(made.certificate).checkPrivateKey(key));
});

function peerVersion(): string | null {
  try {
    return execFileSync("openssl", ["version"], { stdio: "pipe" }).toString().trim();
  } catch {
    return null;
  }
}
