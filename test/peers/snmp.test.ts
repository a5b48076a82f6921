import t, { type Test } from "tap";
import { machineSeams } from "../../agent/seams/index.ts";
import {
  createAdapterHost,
  type DeviceJob,
  loadBuiltinModels,
  type Outcome,
  type PushJob,
} from "../../firmware-adapters/index.ts";
import { peerSuite } from "./peer-suite.ts";
import { Snmpd, type SnmpUser, snmpdPeer, snmpgetWorks } from "./snmpd.ts";
import { startUdpProxy } from "./udp-proxy.ts";

const models = loadBuiltinModels();
const host = createAdapterHost({ timers: machineSeams().timers });
t.teardown(() => host.close());

const before = { authPassword: "firstAuthPassword23", privPassword: "firstPrivPassword23" };
const after = { authPassword: "newAuthPassword45", privPassword: "newPrivPassword45" };
const base: SnmpUser = { name: "rotator", authProtocol: "SHA-256", privProtocol: "AES-128", ...before };

interface JobOptions {
  readonly user?: SnmpUser;
  readonly current?: Record<string, string>;
  readonly next?: Record<string, string> | null;
  readonly identity?: string | null;
  readonly attempts?: number;
  readonly timeoutMs?: number;
  readonly model?: string;
}

function jobFor(port: number, options: JobOptions = {}): DeviceJob {
  const user = options.user ?? base;
  const model = models.get(options.model ?? "net-snmp-agent");
  if (model === undefined) throw new Error("no such model");
  const bytes = (fields: Record<string, string>) =>
    Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, Buffer.from(text)]));
  return {
    target: { host: "127.0.0.1", port, settings: { authProtocol: user.authProtocol, privProtocol: user.privProtocol } },
    username: user.name,
    secrets: { current: bytes(options.current ?? before), next: options.next === null ? null : bytes(options.next ?? after) },
    model,
    identity: options.identity ?? null,
    timeoutMs: options.timeoutMs ?? 2000,
    attempts: options.attempts ?? 1,
  };
}

async function prepared(port: number, options: JobOptions = {}): Promise<PushJob> {
  const job = jobFor(port, options);
  const outcome = await host.run("snmp", "prepare", job);
  if (outcome.kind !== "OK" || outcome.state === null)
    throw new Error(`prepare ended ${outcome.kind} ${outcome.code} ${outcome.detail}`);
  return { ...job, state: outcome.state };
}

function brief(outcome: Outcome): string {
  return `${outcome.kind} ${outcome.code}`;
}

async function withAgent(t: Test, options: Partial<Parameters<typeof Snmpd.start>[0]> = {}): Promise<Snmpd> {
  const agent = await Snmpd.start({ users: [base], ...options });
  t.teardown(() => agent.stop());
  return agent;
}

await peerSuite(t, snmpdPeer, async (suite) => {
  const hashes = ["SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"];
  const ciphers = ["AES-128", "AES-256"];
  const pairs = hashes.flatMap((authProtocol) => ciphers.map((privProtocol) => ({ authProtocol, privProtocol })));
  const users = pairs.map((pair, index) => ({ ...base, ...pair, name: `rotator${index}` }));
  const shared = await Snmpd.start({ users });
  t.teardown(() => shared.stop());
  suite.stated(`NET-SNMP ${shared.version}`);

  for (const user of users) {
    await suite.test(
      `a user with ${user.authProtocol} and ${user.privProtocol} changes both of its keys in one request`,
      async (t) => {
        const job = await prepared(shared.port, { user });
        t.equal(brief(await host.run("snmp", "push", job)), "OK DEVICE_OK");
        t.equal(await snmpgetWorks(shared.port, { ...user, ...after }), true, "snmpget works with the new ones");
        t.equal(await snmpgetWorks(shared.port, user), false, "and not with the old ones");
        const verified = await host.run("snmp", "verify", jobFor(shared.port, { user, current: after, next: null }));
        t.match(verified, { kind: "OK", identity: /^snmp-engine:80001f88/, mayHaveSpentAttempt: false });
        const refused = await host.run("snmp", "verify", jobFor(shared.port, { user, current: before, next: null }));
        t.match(refused, { kind: "REJECTED_AUTH", code: "DEVICE_SECRET_REFUSED", mayHaveSpentAttempt: true });
      },
    );
  }

  await suite.test(
    "the answer to a change is lost: with one login it stays AMBIGUOUS, with two the marker tells",
    async (t) => {
      const agent = await withAgent(t);
      const proxy = await startUdpProxy(agent.port);
      t.teardown(() => proxy.close());
      const first = await prepared(proxy.port, { timeoutMs: 400 });
      // Answers of a push: discovery, look at the spin lock, change.
      proxy.loseAnswer(3);
      t.match(await host.run("snmp", "push", first), {
        kind: "AMBIGUOUS",
        code: "DEVICE_REPLY_LOST",
        mayHaveSpentAttempt: false,
      });
      t.equal(await snmpgetWorks(agent.port, { ...base, ...after }), true, "it had been applied");
      const again = await host.run("snmp", "push", first);
      t.match(
        again,
        { kind: "REJECTED_AUTH", code: "DEVICE_SECRET_REFUSED" },
        "repeated, its login is refused and nothing is sent",
      );
      t.equal(await snmpgetWorks(agent.port, { ...base, ...after }), true, "and nothing is broken");

      const second = await prepared(proxy.port, {
        current: after,
        next: { authPassword: "thirdAuthPassword6", privPassword: "thirdPrivPassword6" },
        attempts: 2,
        timeoutMs: 400,
      });
      proxy.loseAnswer(3);
      t.match(await host.run("snmp", "push", second), { kind: "OK", code: "DEVICE_ALREADY_APPLIED" });
    },
  );

  await suite.test("a change is sent in one datagram, whatever happens to its answer", async (t) => {
    const agent = await withAgent(t);
    const proxy = await startUdpProxy(agent.port);
    t.teardown(() => proxy.close());
    const job = await prepared(proxy.port, { timeoutMs: 300 });
    const sentBefore = proxy.requests.length;
    proxy.loseAnswer(3);
    await host.run("snmp", "push", job);
    t.equal(proxy.requests.length - sentBefore, 3, "discovery, look, change");
  });

  await suite.test("a prepared change applies once: after another one came between, it is never sent", async (t) => {
    const agent = await withAgent(t);
    const stale = await prepared(agent.port);
    const there = await prepared(agent.port);
    t.equal(brief(await host.run("snmp", "push", there)), "OK DEVICE_OK");
    // Back to the old keys, so that only the spin lock stands in the way of the stale change.
    const back = await prepared(agent.port, { current: after, next: before });
    t.equal(brief(await host.run("snmp", "push", back)), "OK DEVICE_OK");
    t.match(await host.run("snmp", "push", stale), { kind: "NOT_SENT", code: "SNMP_SPIN_LOCK_MOVED", prepareAgain: true });
    t.equal(await snmpgetWorks(agent.port, base), true);
  });

  await suite.test("a wrong secret is refused before anything changes, and a wrong privacy key alone is silence", async (t) => {
    const agent = await withAgent(t);
    const wrong = { ...before, authPassword: "wrongPassword2345" };
    t.match(await host.run("snmp", "prepare", jobFor(agent.port, { current: wrong })), {
      kind: "REJECTED_AUTH",
      code: "DEVICE_SECRET_REFUSED",
    });
    const wrongPriv = { ...before, privPassword: "wrongPassword2345" };
    const silent = await host.run("snmp", "verify", jobFor(agent.port, { current: wrongPriv, next: null, timeoutMs: 400 }));
    t.match(silent, { kind: "AMBIGUOUS", code: "DEVICE_NO_ANSWER", mayHaveSpentAttempt: true });
    const nobody = await host.run("snmp", "verify", jobFor(agent.port, { user: { ...base, name: "nobody" }, next: null }));
    t.match(nobody, { kind: "REJECTED_AUTH", code: "SNMP_USER_UNKNOWN" });
  });

  await suite.test("an agent with another engine id gets no login at all", async (t) => {
    const agent = await withAgent(t, { engineId: "80001f8880aaaaaaaaaaaaaaaa" });
    const job = await prepared(agent.port);
    const known = await host.run("snmp", "identify", jobFor(agent.port, { next: null }));
    t.match(known, { kind: "OK", identity: "snmp-engine:80001f8880aaaaaaaaaaaaaaaa" });
    const other = await withAgent(t, { engineId: "80001f8880bbbbbbbbbbbbbbbb" });
    const proxy = await startUdpProxy(other.port);
    t.teardown(() => proxy.close());
    const moved = { ...job, target: { ...job.target, port: proxy.port } };
    t.match(await host.run("snmp", "push", moved), {
      kind: "NOT_SENT",
      code: "DEVICE_IDENTITY_CHANGED",
      mayHaveSpentAttempt: false,
    });
    const identity = known.kind === "OK" ? known.identity : null;
    const verified = await host.run("snmp", "verify", jobFor(proxy.port, { identity, next: null }));
    t.match(verified, { kind: "NOT_SENT", code: "DEVICE_IDENTITY_CHANGED" });
    t.equal(proxy.requests.length, 2, "one discovery each");
  });

  await suite.test("a change that was saved survives kill -9, and one that was not is gone", async (t) => {
    const agent = await withAgent(t);
    t.equal(brief(await host.run("snmp", "push", await prepared(agent.port))), "OK DEVICE_OK");
    await agent.restart("SIGKILL");
    t.equal(await snmpgetWorks(agent.port, base), true, "the old keys are back");
    t.match(await host.run("snmp", "verify", jobFor(agent.port, { current: after, next: null })), { kind: "REJECTED_AUTH" });
    t.equal(brief(await host.run("snmp", "push", await prepared(agent.port))), "OK DEVICE_OK");
    t.equal(brief(await host.run("snmp", "save", jobFor(agent.port, { current: after, next: null }))), "OK DEVICE_OK");
    await agent.restart("SIGKILL");
    t.equal(await snmpgetWorks(agent.port, { ...base, ...after }), true, "the new keys stay");
    t.equal(brief(await host.run("snmp", "verify", jobFor(agent.port, { current: after, next: null }))), "OK DEVICE_OK");
    const without = await host.run("snmp", "save", jobFor(agent.port, { current: after, next: null, model: "generic-snmpv3" }));
    t.equal(brief(without), "OK DEVICE_SAVE_NOT_NEEDED");
  });

  await suite.test("a user without access to its own keys is told so, and its login is not in doubt", async (t) => {
    const agent = await withAgent(t, { access: [`rouser ${base.name} priv`] });
    const job = await prepared(agent.port);
    t.match(await host.run("snmp", "push", job), {
      kind: "AMBIGUOUS",
      code: "SNMP_REQUEST_REFUSED",
      mayHaveSpentAttempt: false,
    });
    t.equal(await snmpgetWorks(agent.port, base), true);
  });

  await suite.test("write access to the user's own row, the spin lock and the save object is enough", async (t) => {
    const own = ["1.3.6.1.6.3.15.1.2.1", "1.3.6.1.6.3.10.2.1", "1.3.6.1.4.1.2021.100.13"];
    const columns = [7, 10, 11].map((column) => `1.3.6.1.6.3.15.1.2.2.1.${column}`);
    const views = [...own, ...columns].map((oid) => `view own included .${oid}`);
    const agent = await withAgent(t, { access: [...views, `rwuser ${base.name} priv -V own`] });
    t.equal(brief(await host.run("snmp", "push", await prepared(agent.port))), "OK DEVICE_OK");
    const now = jobFor(agent.port, { current: after, next: null });
    t.equal(brief(await host.run("snmp", "save", now)), "OK DEVICE_OK");
    t.equal(brief(await host.run("snmp", "verify", now)), "OK DEVICE_OK");
  });

  await suite.test("an agent that is not there gets nothing, and no attempt is spent", async (t) => {
    const agent = await Snmpd.start({ users: [base] });
    const job = await prepared(agent.port);
    await agent.stop();
    for (const operation of ["push", "verify", "identify", "save"] as const) {
      t.match(
        await host.run("snmp", operation, job),
        { kind: "NOT_SENT", code: "DEVICE_UNREACHABLE", mayHaveSpentAttempt: false },
        operation,
      );
    }
  });
});
