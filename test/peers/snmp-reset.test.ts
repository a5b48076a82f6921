import t, { type Test } from "tap";
import { machineSeams } from "../../agent/seams/index.ts";
import { createAdapterHost, type DeviceJob, loadBuiltinModels, type Outcome } from "../../firmware-adapters/index.ts";
import { AccountRig } from "../edge/account-rig.ts";
import { peerSuite } from "./peer-suite.ts";
import { Snmpd, type SnmpUser, snmpdPeer, snmpgetWorks } from "./snmpd.ts";
import { startUdpProxy } from "./udp-proxy.ts";

const seams = machineSeams();
const adapters = createAdapterHost({ timers: seams.timers });
t.teardown(() => adapters.close());
const loaded = loadBuiltinModels().get("net-snmp-agent");
if (loaded === undefined) throw new Error("no model");
const model = loaded;

/** A value's two passphrases. */
const secretsOf = (value: string) => ({ authPassword: `${value}AuthPass23456`, privPassword: `${value}PrivPass23456` });
const protocols = { authProtocol: "SHA-256", privProtocol: "AES-128" };
const userOf = (name: string, value: string): SnmpUser => ({ name, ...protocols, ...secretsOf(value) });
const admin = userOf("admin", "admin");

async function agentWith(t: Test, operator: string, access?: readonly string[]): Promise<Snmpd> {
  const users = [admin, userOf("operator", operator)];
  const agent = await Snmpd.start({ users, ...(access === undefined ? {} : { access }) });
  t.teardown(() => agent.stop());
  return agent;
}

function jobFor(port: number, helper = "admin"): DeviceJob {
  const bytes = (value: string) =>
    Object.fromEntries(Object.entries(secretsOf(value)).map(([name, text]) => [name, Buffer.from(text)]));
  return {
    target: { host: "127.0.0.1", port, settings: protocols },
    username: "operator",
    secrets: { current: bytes("first"), next: bytes("second") },
    helper: { username: "admin", secrets: bytes(helper) },
    ownUnknown: true,
    model,
    identity: null,
    timeoutMs: 1_000,
    attempts: 1,
  };
}

/** One try of the edge: prepared and sent. */
async function reset(port: number): Promise<Outcome> {
  const job = jobFor(port);
  const prepared = await adapters.run("snmp", "prepare", job);
  if (prepared.kind !== "OK" || prepared.state === null) return prepared;
  return adapters.run("snmp", "push", { ...job, state: prepared.state });
}

await peerSuite(t, snmpdPeer, async (suite) => {
  await suite.test("a user whose keys nobody knows is made anew by another user of the agent, and proves itself", async (t) => {
    const agent = await agentWith(t, "first");
    suite.stated(`NET-SNMP ${agent.version}`);
    const rig = new AccountRig({
      seams,
      adapters,
      models: () => ({ model, settings: { ...protocols, aes256Extension: "blumenthal" } }),
      device: { port: agent.port, settings: new Map(Object.entries(protocols)) },
      fieldsOf: (value) => Object.entries(secretsOf(value)),
      accounts: [
        { username: "operator", values: ["first", "second", "third"], content: { reconcileBy: new Uint8Array(16).fill(101) } },
        { username: "admin", values: ["admin"], content: { rotate: "never" } },
      ],
    });
    t.teardown(() => rig.engine.close());
    const tell = (event: Parameters<typeof rig.engine.tell>[1]) => {
      const refused = rig.engine.tell(rig.account("operator"), event);
      rig.engine.advance(rig.account("operator"));
      return refused;
    };
    const isUnknown = () => rig.phase("operator") === "UNKNOWN" && !rig.account("operator").busy;
    tell({ kind: "verify" });
    await rig.until(() => rig.reports.length === 1 && !rig.account("operator").busy);
    await agent.setUsers([admin, userOf("operator", "strange")]);
    tell({ kind: "verify" });
    await rig.until(isUnknown);
    t.equal(tell({ kind: "reconcile" }), null);
    await rig.until(() => rig.phase("operator") === "VERIFIED");
    await agent.restart("SIGKILL");
    t.equal(await snmpgetWorks(agent.port, userOf("operator", "second")), true, "the value that was issued next, and saved");
    for (const value of ["first", "strange", "admin"])
      t.equal(await snmpgetWorks(agent.port, userOf("operator", value)), false, value);
    t.equal(await snmpgetWorks(agent.port, admin), true, "the other user keeps its own");
    t.same(rig.reports.slice(-2), ["operator unknown 0", "operator verified 1"]);

    await agent.setUsers([admin]);
    tell({ kind: "verify" });
    await rig.until(isUnknown);
    t.equal(tell({ kind: "reconcile" }), null);
    await rig.until(() => rig.phase("operator") === "VERIFIED");
    t.equal(await snmpgetWorks(agent.port, userOf("operator", "third")), true, "also where the agent had lost the user");
  });

  await suite.test("whichever answer is lost, the next try ends with the new keys and no others", async (t) => {
    const agent = await agentWith(t, "strange");
    const outcomes: string[] = [];
    for (let lost = 1; lost <= 8; lost += 1) {
      await agent.setUsers([admin, userOf("operator", "strange")]);
      const proxy = await startUdpProxy(agent.port);
      proxy.loseAnswer(lost);
      const first = await reset(proxy.port);
      outcomes.push(first.kind);
      t.not(first.kind, "REJECTED_AUTH", `answer ${lost}: nothing is known about the account`);
      const works = await snmpgetWorks(agent.port, userOf("operator", "second"));
      if (first.kind === "OK") t.ok(works);
      if (first.kind === "NOT_SENT") t.ok(await snmpgetWorks(agent.port, userOf("operator", "strange")), "nothing was changed");
      const again = works ? null : await reset(proxy.port);
      t.ok(again === null || again.kind === "OK", `answer ${lost}: ${again?.kind} ${again?.code}`);
      t.ok(await snmpgetWorks(agent.port, userOf("operator", "second")));
      await proxy.close();
    }
    t.ok(outcomes.includes("AMBIGUOUS") && outcomes.includes("NOT_SENT") && outcomes.at(-1) === "OK", outcomes.join(" "));
  });

  await suite.test("the same request again is found to be applied, and another change between makes it void", async (t) => {
    const agent = await agentWith(t, "strange");
    const job = jobFor(agent.port);
    const prepared = await adapters.run("snmp", "prepare", job);
    if (prepared.kind !== "OK" || prepared.state === null) throw new Error(prepared.code);
    const push = { ...job, state: prepared.state };
    t.match(await adapters.run("snmp", "push", push), { kind: "OK", code: "DEVICE_OK" });
    t.match(await adapters.run("snmp", "push", push), { kind: "OK", code: "DEVICE_ALREADY_APPLIED" });
    t.match(await reset(agent.port), { kind: "OK" });
    t.match(await adapters.run("snmp", "push", push), { kind: "NOT_SENT", code: "SNMP_SPIN_LOCK_MOVED", prepareAgain: true });
  });

  await suite.test("a user that may not, or whose own keys are others, changes nothing", async (t) => {
    const agent = await agentWith(t, "first", ["rouser admin priv", "rwuser operator priv"]);
    t.match(await reset(agent.port), { kind: "AMBIGUOUS", code: "SNMP_REQUEST_REFUSED", mayHaveSpentAttempt: false });
    const refused = await adapters.run("snmp", "prepare", jobFor(agent.port, "wrong"));
    t.match(refused, { kind: "NOT_SENT", code: "SNMP_HELPER_REFUSED", mayHaveSpentAttempt: true });
    t.equal(await snmpgetWorks(agent.port, userOf("operator", "first")), true);
  });
});
