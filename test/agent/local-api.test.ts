import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { type IncomingHttpHeaders, type RequestOptions, request } from "node:http";
import { request as tlsRequest } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import {
  type ApiListener,
  type ApplicationRecord,
  type Health,
  type LocalApi,
  memoryOnlyGone,
  openLocalApi,
  type ReadableCredential,
  type ReadEvent,
  readLeaf,
} from "../../agent/local-api/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { createMetrics } from "../../agent/metrics/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { utf8 } from "../../protocol/base/index.ts";
import { type Fields, makeFields } from "../../protocol/content/index.ts";
import { shortFolder } from "../support/short-folder.ts";

const seams = machineSeams();
const token = "tga_historian";
const historian: ApplicationRecord = {
  id: "aa".repeat(16),
  name: "historian",
  tokenHash: hash("sha256", token, "buffer"),
  grants: ["plant-1/*/operator", "plant-2/**"],
  leases: [],
  person: false,
};

function credential(secrets: Record<string, Uint8Array>, more: Partial<ReadableCredential> = {}): ReadableCredential {
  return {
    username: "operator",
    version: "1.3",
    source: "vault",
    currentSinceMs: seams.clock.sinceBootMs() - 60_000,
    rotation: "idle",
    expiresAt: null,
    openFields: (): Fields => makeFields(Object.entries(secrets).map(([name, value]) => [name, value.slice()] as const)),
    alternates: () => [],
    ...more,
  };
}

interface Rig {
  api: LocalApi;
  reads: ReadEvent[];
  credentials: Map<string, ReadableCredential>;
  applications: ApplicationRecord[];
  health: { value: Health };
  logLines: string[];
}

async function rig(t: Test, listeners: ApiListener[], tls: { key: string; cert: string } | null = null): Promise<Rig> {
  const reads: ReadEvent[] = [];
  const logLines: string[] = [];
  const credentials = new Map([
    ["plant-1/plc-7/operator", credential({ password: utf8('pässword "7"\\\u0007') })],
    ["plant-1/plc-7/engineer", credential({ password: utf8("not granted") })],
    ["plant-2/rtu-1/snmp", credential({ authPassword: utf8("one"), privPassword: utf8("two") }, { rotation: "in-progress" })],
    ["plant-2/rtu-1/blob", credential({ key: Uint8Array.of(0xff, 0xfe) }, { source: "rotation" })],
  ]);
  const applications = [historian];
  const health = { value: { checks: [{ name: "store", ok: true, detail: "writes" }], ready: true } };
  const api = await openLocalApi({
    listeners,
    tls,
    source: { find: (path) => credentials.get(path) ?? null },
    applications: () => applications,
    health: () => health.value,
    interval: () => ({ loMs: 0, hiMs: null, probableMs: null }),
    vaultLastHeardAt: () => "2026-01-02T03:04:05.000Z",
    onRead: (event) => reads.push(event),
    clock: seams.clock,
    timers: seams.timers,
    random: seams.random,
    metrics: createMetrics(),
    log: createLog({ level: "debug", node: "test", destination: { write: (line) => logLines.push(line) } }),
  });
  t.teardown(() => api.close());
  return { api, reads, credentials, applications, health, logLines };
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: Record<string, unknown>;
}

const native = { "x-tidegate-request": "true" };
const authorized = { ...native, authorization: `Bearer ${token}` };

function get(
  where: { port?: number | null; host?: string; socketPath?: string; ca?: string },
  path: string,
  headers: Record<string, string> = authorized,
  method = "GET",
): Promise<Answer> {
  const options = { ...where, path, method, headers, agent: false as const };
  return new Promise((resolve, reject) => {
    const send = where.ca === undefined ? request : tlsRequest;
    const outgoing = send(options as RequestOptions, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const json = text.startsWith("{") ? JSON.parse(text) : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

const loopback: ApiListener = { kind: "loopback", address: "127.0.0.1", port: 0 };

async function loopbackRig(t: Test) {
  const made = await rig(t, [loopback]);
  const where = { host: "127.0.0.1", port: made.api.listeners[0]?.port ?? 0 };
  const call = (path: string, headers?: Record<string, string>, method?: string) => get(where, path, headers, method);
  return { ...made, where, call };
}

t.test("a granted credential is answered with its fields, version, age and source, and is not to be stored", async (t) => {
  const { call, reads } = await loopbackRig(t);
  const answer = await call("/v1/credentials/plant-1/plc-7/operator");
  t.equal(answer.status, 200);
  t.match(answer.headers, { "content-type": "application/json", etag: '"1.3"', "cache-control": "no-store" });
  const secret = 'pässword "7"\\\u0007';
  const { ageMs, ...rest } = answer.json;
  t.ok(typeof ageMs === "number" && ageMs >= 60_000 && ageMs < 120_000, `age ${ageMs}`);
  t.same(rest, {
    path: "plant-1/plc-7/operator",
    username: "operator",
    fields: { password: secret },
    password: secret,
    version: "1.3",
    source: "vault",
    vaultLastHeardAt: "2026-01-02T03:04:05.000Z",
    rotation: "idle",
    expiresAt: null,
  });
  const two = await call("/v1/credentials/plant-2/rtu-1/snmp");
  t.match(two.json, { fields: { authPassword: "one", privPassword: "two" }, rotation: "in-progress" });
  t.notOk("password" in two.json, "no shorthand where there is no field password");
  const blob = await call("/v1/credentials/plant-2/rtu-1/blob");
  t.match(blob.json, { fields: { key: { base64: "//4=" } }, source: "rotation" });
  t.same(
    reads.map(({ path, version, outcome }) => [path, version, outcome]),
    [
      ["plant-1/plc-7/operator", "1.3", "read"],
      ["plant-2/rtu-1/snmp", "1.3", "read"],
      ["plant-2/rtu-1/blob", "1.3", "read"],
    ],
  );
});

t.test("alternates are given on request only, each with its own read, and no other query is taken for it", async (t) => {
  const { call, credentials, reads } = await loopbackRig(t);
  const path = "/v1/credentials/plant-1/plc-7/operator";
  const alternates = () => [
    { version: "1.4", openFields: () => makeFields([["password", utf8('n"w')]]) },
    { version: "1.2", openFields: () => makeFields([["privPassword", utf8("x")]]) },
  ];
  credentials.set("plant-1/plc-7/operator", credential({ password: utf8("old") }, { alternates, rotation: "in-progress" }));
  t.notOk("alternates" in (await call(path)).json);
  const both = await call(`${path}?alternates=1`);
  t.match(both.json, { password: "old", rotation: "in-progress", version: "1.3" });
  t.same(both.json["alternates"], [
    { version: "1.4", fields: { password: 'n"w' }, password: 'n"w' },
    { version: "1.2", fields: { privPassword: "x" } },
  ]);
  t.equal(both.headers.etag, '"1.3+1.4+1.2"');
  t.same(
    reads.slice(1).map(({ version }) => version),
    ["1.3", "1.4", "1.2"],
  );
  t.equal((await call(`${path}?alternates=1`, { ...authorized, "if-none-match": '"1.3+1.4+1.2"' })).status, 304);
  t.equal((await call(`${path}?alternates=1`, { ...authorized, "if-none-match": '"1.3"' })).status, 200);
  const settled = await call("/v1/credentials/plant-2/rtu-1/snmp?alternates=1");
  t.match(settled.json, { alternates: [] });
  t.equal((await call(`${path}?alternates=0`)).status, 400);
  t.equal((await call("/v1/credentials/plant-1/plc-7/engineer?alternates=1")).json["code"], "API_REFUSED");
});

t.test("a known version is answered with 304, a changed one with its value", async (t) => {
  const { call, api, credentials, reads } = await loopbackRig(t);
  const path = "/v1/credentials/plant-1/plc-7/operator";
  const known = await call(path, { ...authorized, "if-none-match": '"1.3"' });
  t.equal(known.status, 304);
  t.equal(known.text, "");
  t.match(reads, [{ outcome: "unchanged" }]);
  credentials.set("plant-1/plc-7/operator", credential({ password: utf8("new") }, { version: "1.4" }));
  api.changed("plant-1/plc-7/operator");
  const changed = await call(path, { ...authorized, "if-none-match": '"1.3"' });
  t.match(changed, { status: 200, headers: { etag: '"1.4"' }, json: { password: "new", version: "1.4" } });
});

t.test("a granted read of what is not held is written down with its reason, and names no version", async (t) => {
  const { call, credentials, reads } = await loopbackRig(t);
  const gone = "plant-1/plc-7/operator";
  credentials.delete(gone);
  const find = credentials.get.bind(credentials);
  credentials.get = (path) => {
    if (path === "plant-2/rtu-1/snmp") throw memoryOnlyGone();
    return find(path);
  };
  const asked: [path: string, status: number, code: string][] = [
    [gone, 404, "API_NO_VALUE"],
    ["plant-2/rtu-1/nobody", 404, "API_NO_VALUE"],
    ["plant-2/rtu-1/snmp", 503, "API_MEMORY_ONLY"],
    ["plant-1/plc-7/engineer", 403, "API_REFUSED"],
  ];
  for (const [path, status, code] of asked) {
    t.match(await call(`/v1/credentials/${path}`), { status, json: { code } }, path);
    const event = reads.at(-1);
    t.match(event, { application: historian.id, path, version: null, outcome: "refused" });
    if (event !== undefined)
      t.match(readLeaf(event), {
        action: "credential.read",
        subject: { id: path },
        outcome: "denied",
        code,
        details: undefined,
      });
  }
  t.equal(reads.length, asked.length);
});

t.test("each refusal has its status and code", async (t) => {
  const { call } = await loopbackRig(t);
  const path = "/v1/credentials/plant-1/plc-7/operator";
  const { authorization } = authorized;
  const cases: [title: string, status: number, code: string, path: string, headers: Record<string, string>, method?: string][] =
    [
      ["no token", 401, "API_UNAUTHENTICATED", path, native],
      ["another token", 401, "API_UNAUTHENTICATED", path, { ...native, authorization: `${authorization}x` }],
      ["another scheme", 401, "API_UNAUTHENTICATED", path, { ...native, authorization: `Basic ${token}` }],
      ["no header of ours", 403, "API_HEADER_MISSING", path, { authorization }],
      ["our header with another value", 403, "API_HEADER_MISSING", path, { authorization, "x-tidegate-request": "1" }],
      ["a web page", 403, "API_ORIGIN_REFUSED", path, { ...authorized, origin: "http://127.0.0.1" }],
      ["a web page at health", 403, "API_ORIGIN_REFUSED", "/healthz", { origin: "null" }],
      ["a foreign host", 421, "API_HOST_REFUSED", path, { ...authorized, host: "attacker.example" }],
      ["a host with another port", 421, "API_HOST_REFUSED", path, { ...authorized, host: "127.0.0.1:1" }],
      ["an escaped path", 400, "API_PATH_INVALID", "/v1/credentials/plant-1%2Fplc-7/operator", authorized],
      ["a path that climbs", 400, "API_PATH_INVALID", "/v1/credentials/plant-1/../operator", authorized],
      ["another method", 405, "API_METHOD", path, authorized, "DELETE"],
      ["a call of later versions", 501, "NOT_AVAILABLE", "/v1/secret/data/plant-1/plc-7/operator", authorized],
      ["a query twice", 400, "API_QUERY_INVALID", `${path}?after=1.3&after=1.4`, authorized],
      ["an unknown query", 400, "API_QUERY_INVALID", `${path}?version=1.3`, authorized],
      ["a version that is none", 400, "API_QUERY_INVALID", `${path}?after=latest`, authorized],
      ["a wait for nothing", 400, "API_QUERY_INVALID", `${path}?waitMs=1`, authorized],
      ["a wait above the limit", 400, "API_QUERY_INVALID", `${path}?after=1.3&waitMs=60001`, authorized],
      ["alternates after a version", 400, "API_QUERY_INVALID", `${path}?after=1.3&alternates=1`, authorized],
      ["CCP", 501, "NOT_AVAILABLE", "/AIMWebService/api/Accounts?AppID=a", {}],
      ["no such call", 404, "REQUEST_NO_ROUTE", "/v2/credentials", authorized],
    ];
  for (const [title, status, code, url, headers, method] of cases) {
    const answer = await call(url, headers, method);
    t.match(answer, { status, headers: { "content-type": "application/problem+json" }, json: { code, status } }, title);
    t.notMatch(answer.text, /tga_|pässword/, title);
  }
  for (const header of ["x-tidegate-request", "x-vault-request"]) {
    t.equal((await call(path, { authorization, [header]: "true" })).status, 200);
  }
});

t.test("a refused read does not say whether the path exists", async (t) => {
  const { call, reads } = await loopbackRig(t);
  const there = await call("/v1/credentials/plant-1/plc-7/engineer");
  const missing = await call("/v1/credentials/plant-1/plc-8/engineer");
  t.match(there, { status: 403, json: { code: "API_REFUSED" } });
  t.equal(there.text, missing.text);
  t.same({ ...there.headers, date: "" }, { ...missing.headers, date: "" });
  t.match(reads, [
    { outcome: "refused", version: null },
    { outcome: "refused", version: null },
  ]);
});

t.test("a disabled application is out at once, a new one in", async (t) => {
  const { call, api, applications } = await loopbackRig(t);
  const path = "/v1/credentials/plant-2/rtu-1/snmp";
  t.equal((await call(path)).status, 200);
  applications.length = 0;
  api.changed();
  t.equal((await call(path)).status, 401);
  applications.push({ ...historian, grants: [], leases: [], person: false });
  api.changed();
  t.equal((await call(path)).status, 403);
});

t.test("health is red where a check fails, ready only where credentials can be read, metrics count the reads", async (t) => {
  const { call, health } = await loopbackRig(t);
  t.match(await call("/healthz", {}), { status: 200, json: { ok: true } });
  t.match(await call("/readyz", {}), { status: 200, json: { ready: true } });
  health.value = { checks: [{ name: "vault", ok: false, detail: "not heard for 25 h" }], ready: false };
  t.match(await call("/healthz", {}), { status: 503, json: { ok: false, checks: [{ name: "vault", ok: false }] } });
  t.match(await call("/readyz", {}), { status: 503, json: { ready: false } });
  await call("/v1/credentials/plant-2/rtu-1/snmp");
  await call("/v1/credentials/plant-2/rtu-1/snmp", native);
  const metrics = await call("/metrics", {});
  t.match(metrics, { status: 200, headers: { "content-type": /^text\/plain/ } });
  t.match(metrics.text, /^tidegate_api_reads_total 1$/m);
  t.match(metrics.text, /^tidegate_api_reads_refused_total 1$/m);
});

t.test("headers and the request line are bounded", async (t) => {
  const { call, where } = await loopbackRig(t);
  const url = (bytes: number) => `/v1/credentials/${"a".repeat(bytes - "/v1/credentials/".length)}`;
  t.match(await call(url(1023)), { status: 400, json: { code: "API_PATH_INVALID" } });
  t.match(await call(url(1024)), { status: 400, json: { code: "API_PATH_INVALID" } });
  t.match(await call(url(1025)), { status: 414, json: { code: "API_URL_TOO_LONG" } });
  await t.rejects(get(where, "/healthz", { "x-long": "x".repeat(8 * 1024) }));
  const socket = connect(where.port, where.host);
  socket.write("not http\r\n\r\n");
  await new Promise((resolve) => socket.on("close", resolve));
});

t.test("the API answers over a Unix socket, loopback and TLS at once", async (t) => {
  const folder = shortFolder(t);
  const tls = certificate(folder);
  const socketPath = join(folder, "api.sock");
  const { api } = await rig(
    t,
    [
      { kind: "unix", path: socketPath, mode: 0o660 },
      loopback,
      { kind: "tls", on: "127.0.0.2", port: 0, hosts: ["gateway.example"] },
    ],
    tls,
  );
  t.equal(statSync(socketPath).mode & 0o777, 0o660);
  const path = "/v1/credentials/plant-2/rtu-1/snmp";
  const [, plain, secure] = api.listeners;
  const overTls = { host: "127.0.0.2", port: secure?.port ?? 0, ca: tls.cert, servername: "gateway.example" };
  t.equal((await get({ socketPath }, path, { ...authorized, host: "localhost" })).status, 200);
  t.equal((await get({ socketPath }, path, { ...authorized, host: "attacker.example" })).status, 421);
  t.equal((await get({ host: "127.0.0.1", port: plain?.port ?? 0 }, path)).status, 200);
  t.equal((await get(overTls, path, { ...authorized, host: `gateway.example:${secure?.port}` })).status, 200);
  t.equal((await get(overTls, path, { ...authorized, host: "127.0.0.1" })).status, 200);
  t.equal((await get(overTls, path, { ...authorized, host: "other.example" })).status, 421);
  await api.close();
  await api.close();
  t.notOk(existsSync(socketPath), "the socket is gone");
});

t.test("a listener that cannot or must not be opened is refused, and none stays open", async (t) => {
  const { where } = await loopbackRig(t);
  const cases: [code: string, listener: ApiListener][] = [
    ["API_LISTEN_UNSAFE", { kind: "loopback", address: "0.0.0.0", port: 0 }],
    ["API_LISTEN_UNSAFE", { kind: "loopback", address: "192.0.2.1", port: 0 }],
    ["API_LISTEN", { kind: "loopback", address: "127.0.0.1", port: where.port }],
    ["API_LISTEN", { kind: "tls", on: "no-such-interface", port: 0, hosts: [] }],
    ["API_LISTEN", { kind: "tls", on: "127.0.0.1", port: 0, hosts: [] }],
    ["API_LISTEN", { kind: "unix", path: "/no/such/folder/api.sock", mode: 0o600 }],
  ];
  for (const [code, listener] of cases) await t.rejects(rig(t, [loopback, listener]), { code, hint: /./ });
});

/** A self-signed certificate by the system's openssl, which is another implementation than ours. */
function certificate(folder: string): { key: string; cert: string } {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=gateway.example", "-addext", "subjectAltName=DNS:gateway.example,IP:127.0.0.2", "-days", "2"];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  execFileSync("openssl", ["req", ...kind, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}
