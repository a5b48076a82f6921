import { once } from "node:events";
import { statSync, writeFileSync } from "node:fs";
import { createServer, get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import t from "tap";
import { z } from "zod";
import { AdminText, adminRoute, callAdmin, createAdminServer, streamAdmin } from "../../agent/admin/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { StoreError } from "../../agent/store/index.ts";
import { shortFolder } from "../support/short-folder.ts";

const lines: string[] = [];
const log = createLog({ level: "debug", node: "test", destination: { write: (line) => lines.push(line) } });

const routes = [
  adminRoute({
    method: "POST",
    path: "/v1/devices/:name",
    body: z.strictObject({ port: z.number().int().max(65_535), host: z.string() }),
    handle: ({ params, body }) => ({ name: params["name"], port: body.port }),
  }),
  adminRoute({ method: "GET", path: "/v1/nothing", handle: () => undefined }),
  adminRoute({
    method: "GET",
    path: "/metrics",
    handle: () => new AdminText("text/plain; version=0.0.4", "tidegate_alarms 0\n"),
  }),
  adminRoute({
    method: "GET",
    path: "/v1/stopped",
    handle: () => {
      throw new StoreError("STORE_STOPPED", "the store stopped writing", { hint: "Mend the disk." });
    },
  }),
  adminRoute({
    method: "GET",
    path: "/v1/bug",
    handle: () => {
      throw new Error("marker-inside");
    },
  }),
  adminRoute({
    method: "GET",
    path: "/v1/tail",
    handle: async function* () {
      yield { n: 1 };
      yield { n: 2 };
    },
  }),
];

t.test("the admin API answers JSON, streams lines, and tells its problems by code", async (t) => {
  const folder = shortFolder(t);
  const socketPath = join(folder, "admin.sock");
  writeFileSync(socketPath, "left by a killed process");
  const server = await createAdminServer({ socketPath, routes, log });
  t.teardown(() => server.close());
  t.equal(statSync(socketPath).mode & 0o777, 0o600);
  const call = (method: "GET" | "POST", path: string, body?: unknown) => callAdmin(folder, { method, path, body });

  t.same(await call("POST", "/v1/devices/plc-7", { port: 502, host: "10.0.0.7" }), { name: "plc-7", port: 502 });
  t.equal(await call("GET", "/v1/nothing"), null);
  const seen: unknown[] = [];
  for await (const value of streamAdmin(folder, { method: "GET", path: "/v1/tail" })) seen.push(value);
  t.same(seen, [{ n: 1 }, { n: 2 }]);
  const [plain] = (await once(get({ socketPath, path: "/metrics" }), "response")) as [IncomingMessage];
  t.match(plain.headers, { "content-type": "text/plain; version=0.0.4", "cache-control": "no-store" });
  t.equal(await text(plain), "tidegate_alarms 0\n");

  await t.rejects(call("POST", "/v1/devices/plc-7", { port: 70_000, hots: "x" }), {
    code: "REQUEST_INVALID",
    status: 400,
    problems: [
      { path: "port", line: null, found: "integer 70000", expected: "at most 65535" },
      { path: "host", line: null, found: "nothing", expected: "text" },
      { path: "hots", line: null, found: "unknown key", expected: "no such key" },
    ],
  });
  await t.rejects(call("POST", "/v1/devices/plc-7"), { code: "REQUEST_INVALID" });
  await t.rejects(call("POST", "/v1/devices/plc-7", { host: "x".repeat(4 * 1024 * 1024) }), { code: "REQUEST_TOO_LARGE" });
  await t.rejects(call("GET", "/v1/none"), { code: "REQUEST_NO_ROUTE", status: 404 });
  await t.rejects(call("GET", "/v1/stopped"), { code: "STORE_STOPPED", hint: "Mend the disk.", retryable: false });
  await t.rejects(call("GET", "/v1/bug"), { code: "INTERNAL", status: 500, message: "an error inside Tidegate" });
  t.match(lines.join(""), /marker-inside.*admin\.failed/);
});

t.test("a node that takes the call and never answers is not waited for", async (t) => {
  const folder = shortFolder(t);
  const halted = createServer(() => {});
  await new Promise<void>((resolve) => halted.listen(join(folder, "admin.sock"), resolve));
  t.teardown(() => halted.close());
  const call = { method: "GET", path: "/v1/status", patienceMs: 20 } as const;
  await t.rejects(callAdmin(folder, call), { code: "ADMIN_UNREACHABLE", retryable: true, hint: /halted/ });
});

t.test("without a node, or with something else there, the error says so", async (t) => {
  const folder = shortFolder(t);
  const status = { method: "GET", path: "/v1/status" } as const;
  await t.rejects(callAdmin(folder, status), { code: "ADMIN_UNREACHABLE", hint: /Is it running/ });
  const other = createServer((request, response) => {
    response.statusCode = request.url === "/v1/status" ? 200 : 500;
    response.end("<html>");
  });
  await new Promise<void>((resolve) => other.listen(join(folder, "admin.sock"), resolve));
  t.teardown(() => other.close());
  await t.rejects(callAdmin(folder, status), { code: "ADMIN_PROTOCOL" });
  await t.rejects(callAdmin(folder, { method: "GET", path: "/else" }), { code: "ADMIN_PROTOCOL" });
});

t.test("a log line carries only allow-listed fields, and of an error only code and message", async (t) => {
  lines.length = 0;
  const marker = "marker-secret";
  const wide = { path: "a/b/c", password: marker, body: { password: marker }, count: 3 };
  log.info("credential.read", wide);
  log.warn("store.stopped", { error: new StoreError("STORE_IO", "refused", { cause: new Error("EIO") }) });
  log.error("node.failed", { error: { password: marker } });
  t.notMatch(lines.join(""), marker);
  const [first, second] = lines.map((line) => JSON.parse(line));
  t.match(first, { event: "credential.read", path: "a/b/c", count: 3, role: "test" });
  t.match(second, { event: "store.stopped", code: "STORE_IO", reason: "refused", cause: "EIO" });
});
