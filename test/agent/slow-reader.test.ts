import { hash } from "node:crypto";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import t from "tap";
import { openLocalApi } from "../../agent/local-api/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { createMetrics } from "../../agent/metrics/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { utf8 } from "../../protocol/base/index.ts";
import { contentLimits, makeFields } from "../../protocol/content/index.ts";

const seams = machineSeams();
const token = "tga_historian";
const path = "plant-1/plc-7/operator";
/** Together far more than the sockets' buffers hold. */
const reads = 10_000;
const secret = "s".repeat(contentLimits.fieldBytes);

t.test("answers are wiped after they are written, also to one who asks ahead and does not read", async (t) => {
  let seen = 0;
  const api = await openLocalApi({
    listeners: [{ kind: "loopback", address: "127.0.0.1", port: 0 }],
    tls: null,
    source: {
      find: () => ({
        username: "operator",
        version: "1.0",
        source: "vault",
        currentSinceMs: 0,
        rotation: "idle",
        expiresAt: null,
        alternates: () => [],
        openFields: () => makeFields([["password", utf8(secret)]]),
      }),
    },
    applications: () => [
      {
        id: "aa".repeat(16),
        name: "historian",
        tokenHash: hash("sha256", token, "buffer"),
        grants: ["**"],
        leases: [],
        person: false,
      },
    ],
    health: () => ({ checks: [], ready: true }),
    interval: () => ({ loMs: 0, hiMs: null, probableMs: null }),
    vaultLastHeardAt: () => null,
    onRead: () => {
      seen += 1;
    },
    clock: seams.clock,
    timers: seams.timers,
    random: seams.random,
    metrics: createMetrics(),
    log: createLog({ level: "silent", node: "test", destination: { write() {} } }),
  });
  t.teardown(() => api.close());
  const port = api.listeners[0]?.port ?? 0;
  const socket = connect(port, "127.0.0.1");
  t.teardown(() => socket.destroy());
  const lines = [`GET /v1/credentials/${path} HTTP/1.1`, "Host: 127.0.0.1", `Authorization: Bearer ${token}`];
  socket.pause();
  socket.write(`${[...lines, "X-Tidegate-Request: true"].join("\r\n")}\r\n\r\n`.repeat(reads));

  // Read only once the server has come to a stand.
  for (let still = 0, before = -1; seen === 0 || still < 50; still = seen === before ? still + 1 : 0) {
    before = seen;
    await setImmediate();
  }
  t.ok(seen < reads, `the server waits with ${seen} of ${reads} answered`);
  const parts: string[] = [];
  const end = '"expiresAt":null}';
  const begin = "HTTP/1.1 ";
  let [answered, tail] = [0, ""];
  await new Promise<void>((resolve) => {
    socket.setEncoding("latin1").on("data", (part: string) => {
      parts.push(part);
      // An answer may begin in one part and go on in the next.
      const seam = tail + part;
      answered += seam.split(begin).length - 1;
      tail = seam.slice(1 - begin.length);
      if (answered === reads && part.endsWith(end)) resolve();
    });
    socket.once("close", resolve);
    socket.resume();
  });
  t.equal(parts.join("").split(`"fields":{"password":"${secret}"}`).length - 1, reads, "every answer is whole");
});
