import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { findProgram } from "../peers/peer-process.ts";
import { peerSuite } from "../peers/peer-suite.ts";
import { until, verifyLogs } from "./built.ts";
import { type DemoDevice, Plant } from "./plant.ts";

const factory = { authPassword: "factory-auth-0000", privPassword: "factory-priv-0000" };
t.setTimeout(240_000);
const plant = await Plant.start(t, factory);
const [meter] = plant.devices.slice(-1);
if (meter === undefined) throw new Error("no meter");
const agent = plant.devices.length > 1 ? plant.devices[0] : undefined;

/** The meter's own memory: what it holds, and when that was last written. */
function meterMemory(): { readonly password: number; readonly writtenAt: number } {
  const path = join(plant.system.folder("meter-1"), "eeprom.json");
  return { ...(JSON.parse(readFileSync(path, "utf8")) as { password: number }), writtenAt: statSync(path).mtimeMs };
}

/**
 * Exactly one of all values that the vault ever made for this account logs in, and it is the one that vault and edge call current.
 * Waits for the reports first.
 */
async function oneKnownPasswordWorks(t: Test, device: DemoDevice, after: string): Promise<void> {
  const current = await until(`the vault to learn where ${device.path} stands`, async () => {
    const { version, state } = await plant.rotation(device.path);
    const vault = await plant.reveal(device.path);
    return /^(IDLE|VERIFIED)$/.test(state) && version === vault.version && version !== after ? vault : null;
  });
  const accepted = new Set<string>();
  for (const { version } of await plant.history(device.path)) {
    const { fields } = await plant.reveal(device.path, version);
    if (await device.accepts(fields)) accepted.add(JSON.stringify(fields));
  }
  t.same([...accepted], [JSON.stringify(current.fields)], `one password of ${device.path} works: version ${current.version}`);
}

/** How often a rotation is begun again until a kill lands inside of it: on a busy machine one may come too late. */
const attempts = 4;

/**
 * Rotates, and kills the edge as soon as `moment` says so; whatever the moment was, the account must converge. Goes on until a kill
 * left a rotation for the next process to finish.
 */
async function killEdgeInRotation(t: Test, device: DemoDevice, moment: () => Promise<boolean> | boolean): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const before = (await plant.reveal(device.path)).version;
    const order = await plant.order(device.path);
    const started = performance.now();
    while (!(await moment())) {
      if (performance.now() - started > 20_000) throw new Error("the moment never came");
      await new Promise((resolve) => setImmediate(resolve));
    }
    await plant.kill("edge");
    await plant.run("edge");
    t.equal(await plant.ordered(order), "done");
    await oneKnownPasswordWorks(t, device, before);
    const moved = [...plant.said("edge").matchAll(/"account":"([^"]+)","state":"([A-Z-]+)","event":"rotation.moved"/g)];
    const states = moved.filter(([, account]) => account === device.path).map(([, , state]) => state);
    // Begun by the process that was killed, ended by the next one.
    if (states.includes("VERIFIED") && !states.includes("STAGED")) {
      t.comment(`kill ${attempt} left it at the step before ${states[0]}`);
      return;
    }
  }
  t.fail(`none of ${attempts} kills came in the middle of a rotation`);
}

/** True while a rotation of the device is under way. */
async function underWay({ path }: DemoDevice): Promise<boolean> {
  return !/^(IDLE|VERIFIED)$/.test((await plant.rotation(path)).state);
}

t.test("incident 21: an account is adopted, and is not rotated by that", async (t) => {
  const before = meterMemory();
  await plant.adopt();
  await plant.stop("edge");
  await plant.run("edge");
  for (const device of plant.devices) {
    await plant.system.edgeHolds(device.path, "1.0");
    t.match(await plant.rotation(device.path), { version: "1.0", state: "IDLE" });
    t.ok(await device.accepts(device.factory), `${device.path} still has its factory password`);
  }
  t.same(meterMemory(), before, "the meter's memory was not even written to");
});

t.test("a gateway killed with an order in its mailbox still delivers it, with the vault gone", async (t) => {
  await plant.stop("edge");
  const kept = async () => JSON.stringify(await plant.call("gateway", "GET", "/v1/mailboxes"));
  const before = await kept();
  const order = await plant.order(meter.path);
  await until("the gateway to keep the order", async () => (await kept()) !== before || null);
  await plant.kill("gateway");
  await plant.stop("vault");
  await plant.run("gateway");
  await plant.run("edge");
  await until("the edge to rotate", async () => ((await plant.rotation(meter.path)).version === "1.1" ? true : null));
  t.notOk(await meter.accepts(meter.factory), "carried out without the vault");
  await plant.run("vault");
  t.equal(await plant.ordered(order), "done");
  await oneKnownPasswordWorks(t, meter, "1.0");
});

t.test("a vault killed right after it issued an order converges after its restart", async (t) => {
  const { version } = await plant.reveal(meter.path);
  const order = await plant.order(meter.path);
  await plant.kill("vault");
  await plant.run("vault");
  t.equal(await plant.ordered(order), "done");
  await oneKnownPasswordWorks(t, meter, version);
});

t.test("incident 5: an edge killed in the moment in which the device changed leaves no orphan", async (t) => {
  let { password } = meterMemory();
  await killEdgeInRotation(t, meter, () => {
    const now = meterMemory().password;
    const changed = now !== password;
    password = now;
    return changed;
  });
});

t.test("an edge killed as soon as it has begun a rotation ends it after its restart", async (t) => {
  await killEdgeInRotation(t, meter, () => underWay(meter));
});

await peerSuite(
  t,
  { name: "snmpd", packages: "snmpd snmp", installed: findProgram("snmpd") !== null && findProgram("snmpget") !== null },
  async (suite) => {
    suite.stated(/Net-SNMP (\S+)/.exec(agent?.title ?? "")?.[1] ?? "not stated");
    await suite.test("an edge killed in mid-rotation of a real SNMPv3 agent finds the one password that works", async (t) => {
      if (agent === undefined) throw new Error("no agent");
      await killEdgeInRotation(t, agent, () => underWay(agent));
    });
  },
);

t.test("incident 1: gateway and vault gone, edge power-cycled: a credential is read at once", async (t) => {
  const token = await plant.application("panel", "edge-1", "line-4/**");
  await plant.reads("edge", meter.path, token);
  const { version, fields } = await plant.reveal(meter.path);
  await Promise.all([plant.kill("vault"), plant.kill("gateway"), plant.kill("edge")]);
  await plant.run("edge");
  const { status, text } = await plant.get("edge", `/v1/credentials/${meter.path}`, token);
  t.equal(status, 200, "the first read after the start, without anybody to ask");
  t.match(JSON.parse(text), { version, fields, rotation: "idle" });
  t.not((await plant.call<{ tunnel: { state: string } }>("edge", "GET", "/v1/status")).tunnel.state, "open");
});

t.test("after all of it the logs of every node still verify from their files alone", async (t) => {
  await plant.run("vault");
  await plant.run("gateway");
  const step = async <T>(title: string, work: () => Promise<{ readonly says: string; readonly value: T }>) => {
    const { says, value } = await work();
    t.match(says, /every leaf sealed/, title);
    return value;
  };
  await verifyLogs({ system: plant.system, devices: plant.devices, tell: { step, say: () => {}, steps: 0 } });
});

t.test("every process goes when it is told to", async (t) => {
  t.same(await plant.close(), []);
});
