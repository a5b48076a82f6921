import { hash } from "node:crypto";
import { request } from "node:http";
import { join } from "node:path";
import t, { type Test } from "tap";
import { type ApplicationRecord, openLocalApi, type ReadableCredential, type ReadEvent } from "../../agent/local-api/index.ts";
import { apiLimits } from "../../agent/local-api/limits.ts";
import { createLog } from "../../agent/log/index.ts";
import { createMetrics } from "../../agent/metrics/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { utf8 } from "../../protocol/base/index.ts";
import { type Freshness, makeFields } from "../../protocol/content/index.ts";
import type { TimeInterval } from "../../protocol/time/index.ts";
import { shortFolder } from "../support/short-folder.ts";

const heardS = 1_800_000_000;
const path = "plant-1/meter/operator";
const token = "tga_historian";

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly warning: string | undefined;
}

/** A local API with one credential, whose timers fire when the test says so. */
async function rig(t: Test) {
  const seams = machineSeams();
  const world = {
    version: "1.3",
    freshness: null as Freshness | null,
    time: { loMs: heardS * 1000, hiMs: heardS * 1000, probableMs: null } as TimeInterval,
    heardAt: new Date(heardS * 1000).toISOString() as string | null,
    applications: [application("historian", token)],
    reads: [] as ReadEvent[],
    timers: new Set<() => void>(),
  };
  const find = (): ReadableCredential => ({
    username: "operator",
    version: world.version,
    source: "vault",
    currentSinceMs: 0,
    rotation: "idle",
    expiresAt: null,
    freshness: world.freshness,
    openFields: () => makeFields([["password", utf8(`secret ${world.version}`)]]),
    alternates: () => [],
  });
  const socketPath = join(shortFolder(t), "api.sock");
  const api = await openLocalApi({
    listeners: [{ kind: "unix", path: socketPath, mode: 0o600 }],
    tls: null,
    source: { find },
    applications: () => world.applications,
    health: () => ({ checks: [], ready: true }),
    interval: () => world.time,
    vaultLastHeardAt: () => world.heardAt,
    onRead: (event) => world.reads.push(event),
    clock: seams.clock,
    timers: {
      after(_delayMs, fire) {
        world.timers.add(fire);
        return () => world.timers.delete(fire);
      },
    },
    random: seams.random,
    metrics: createMetrics(),
    log: createLog({ level: "silent", node: "test" }),
  });
  t.teardown(() => api.close());
  const get = (query = "", bearer = token): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${bearer}`, "x-tidegate-request": "true", host: "localhost" };
      const call = request({ socketPath, path: `/v1/credentials/${path}${query}`, headers, agent: false }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        const body = JSON.parse(Buffer.concat(chunks).toString() || "{}");
        resolve({ status: response.statusCode ?? 0, body, warning: response.headers.warning });
      });
      call.on("error", reject);
      call.end();
    });
  /** Resolves once so many reads wait. */
  const waiting = async (count: number): Promise<void> => {
    while (world.timers.size !== count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { api, world, get, waiting };
}

function application(name: string, secret: string): ApplicationRecord {
  const id = Buffer.from(name.padEnd(16)).toString("hex");
  return { id, name, tokenHash: hash("sha256", secret, "buffer"), grants: ["plant-1/**"], leases: [], person: false };
}

t.test("a read that names a version waits for another one, and no longer than it said", async (t) => {
  const { api, world, get, waiting } = await rig(t);
  t.match(await get("?after=1.2&waitMs=60000"), { status: 200, body: { version: "1.3" } }, "there is another one already");
  t.match(await get("?after=1.3"), { status: 304 }, "without a wait it is told at once");

  const woken = get("?after=1.3&waitMs=60000");
  await waiting(1);
  api.changed("plant-1/meter/other");
  api.changed(path);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(world.timers.size, 1, "a change that brought the same version is waited through");
  world.version = "1.4";
  api.changed();
  t.match(await woken, { status: 200, body: { version: "1.4", password: "secret 1.4" } });
  t.equal(world.timers.size, 0);

  const late = get("?after=1.4&waitMs=5");
  await waiting(1);
  for (const fire of [...world.timers]) fire();
  t.match(await late, { status: 304 });
  t.match(
    world.reads.map(({ outcome, version }) => [outcome, version]),
    [
      ["read", "1.3"],
      ["unchanged", "1.3"],
      ["read", "1.4"],
      ["unchanged", "1.4"],
    ],
    "waiting itself is no read",
  );
});

t.test("who may not read any more while it waits is told so", async (t) => {
  const { api, world, get, waiting } = await rig(t);
  const waits = get("?after=1.3&waitMs=60000");
  await waiting(1);
  world.applications = [];
  api.changed();
  t.match(await waits, { status: 401, body: { code: "API_UNAUTHENTICATED" } });
});

t.test("reads that wait are bounded for each application and in all, and who goes away leaves its place", async (t) => {
  const { api, world, get, waiting } = await rig(t);
  const { waiters, waitersPerApplication: each } = apiLimits;
  const tokens = Array.from({ length: waiters / each + 1 }, (_, i) => `tga_${i}`);
  world.applications = tokens.map((secret, i) => application(`app-${i}`, secret));
  api.changed();
  const query = "?after=1.3&waitMs=60000";
  const waits = [];
  for (const [i, secret] of tokens.slice(0, -1).entries()) {
    for (let n = 0; n < each; n += 1) waits.push(get(query, secret));
    await waiting((i + 1) * each);
    t.match(await get(query, secret), { status: 429, body: { code: "API_WAITERS_FULL", retryable: true } }, secret);
  }
  t.match(await get(query, tokens.at(-1)), { status: 429, body: { code: "API_WAITERS_FULL" } }, "in all");
  t.equal((await get("", tokens.at(-1))).status, 200, "a read that does not wait is answered");
  world.version = "1.4";
  api.changed(path);
  t.ok((await Promise.all(waits)).every(({ status }) => status === 200));
});

t.test("a node that stops answers those that wait", async (t) => {
  const { api, get, waiting } = await rig(t);
  const waits = get("?after=1.3&waitMs=60000");
  await waiting(1);
  await api.close();
  t.match(await waits, { status: 304 });
});

t.test("a rule says when a value is stale, and what is done then", async (t) => {
  const rule = (changes: Partial<Freshness>): Freshness => ({ staleAfterS: null, whenStale: "serve", ttlS: null, ...changes });
  const at = (loS: number, hiS: number | null, probableS: number | null = null): TimeInterval => ({
    loMs: loS * 1000,
    hiMs: hiS === null ? null : hiS * 1000,
    probableMs: probableS === null ? null : probableS * 1000,
  });
  const hour = 3600;
  const cases: [title: string, rule: Freshness, time: TimeInterval, status: number, code?: string, stale?: boolean][] = [
    ["fresh to the second", rule({ staleAfterS: hour, whenStale: "deny" }), at(heardS + hour, null), 200],
    ["served stale", rule({ staleAfterS: hour }), at(heardS + hour + 1, null), 200, undefined, true],
    ["warned of", rule({ staleAfterS: hour, whenStale: "warn" }), at(heardS + hour + 1, null), 200, "warn", true],
    ["denied", rule({ staleAfterS: hour, whenStale: "deny" }), at(heardS + hour + 1, null), 503, "API_STALE"],
    [
      "by a probable clock",
      rule({ staleAfterS: hour, whenStale: "deny" }),
      at(heardS, null, heardS + hour + 1),
      503,
      "API_STALE",
    ],
    ["within its ttl", rule({ ttlS: hour }), at(heardS + 5, heardS + hour), 200],
    ["past its ttl", rule({ ttlS: hour }), at(heardS + hour + 1, null), 503, "API_EXPIRED"],
    ["a ttl that the clock cannot judge", rule({ ttlS: hour }), at(heardS + 5, null, heardS + 5), 503, "CLOCK_UNKNOWN"],
    ["a ttl that may have passed", rule({ ttlS: hour }), at(heardS + 5, heardS + hour + 1), 503, "CLOCK_UNKNOWN"],
  ];
  const { api, world, get } = await rig(t);
  for (const [title, freshness, time, status, code, stale] of cases) {
    Object.assign(world, { freshness, time });
    api.changed(path);
    const answer = await get();
    t.equal(answer.status, status, title);
    if (status === 503) t.match(world.reads.at(-1), { outcome: "refused", code }, `${title}: written down`);
    t.equal(answer.body["code"], status === 503 ? code : undefined, title);
    t.equal(answer.body["stale"], stale, `${title}: says so`);
    t.equal(answer.warning, code === "warn" ? '110 - "Response is Stale"' : undefined, `${title}: warns`);
  }
  Object.assign(world, { freshness: rule({ staleAfterS: hour, whenStale: "deny" }), time: at(heardS, null), heardAt: null });
  api.changed(path);
  t.match(await get(), { status: 503, body: { code: "API_STALE" } }, "a vault that was never heard");
  Object.assign(world, { heardAt: new Date(heardS * 1000).toISOString() });
  t.match(
    await get(),
    { status: 200, body: { password: "secret 1.3" } },
    "once it is heard the value is served: nothing was erased",
  );
});
