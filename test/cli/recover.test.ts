import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { createAdminServer } from "../../agent/admin/index.ts";
import { createDataFolder } from "../../agent/data-folder/index.ts";
import { createLog } from "../../agent/log/index.ts";
import type { Frame } from "../../cli/frame/index.ts";
import { createOutput } from "../../cli/frame/output.ts";
import { readCase } from "../../cli/recover/case.ts";
import { type RecoverOptions, recover } from "../../cli/recover/index.ts";
import { probe } from "../../cli/recover/probe.ts";
import { builtinModelText, type DeviceJob, type Outcome, ok, rejectedAuth } from "../../firmware-adapters/index.ts";
import { vaultRoutes } from "../../vault/admin/index.ts";
import { shortFolder } from "../support/short-folder.ts";
import { passwordModel } from "../vault/rig.ts";
import { VaultRig } from "../vault/vault-rig.ts";

const path = "plant/pump/operator";

/** A device that knows one password, and whoever asks it. */
class Device {
  live = "";
  readonly tried: string[] = [];
  answer: Outcome | null = null;
  target: DeviceJob["target"] | null = null;

  async run(_adapter: string, _operation: string, job: DeviceJob): Promise<Outcome> {
    const [given = new Uint8Array()] = Object.values(job.secrets.current);
    const text = Buffer.from(given).toString();
    this.tried.push(text);
    this.target = job.target;
    return this.answer ?? (text === this.live ? ok() : rejectedAuth("DEVICE_SECRET_REFUSED", "no"));
  }

  async close(): Promise<void> {}
}

interface Place {
  readonly rig: VaultRig;
  readonly folder: string;
  readonly device: Device;
  run(options: RecoverOptions, terminal?: boolean): Promise<{ stdout: string; stderr: string; exit: number }>;
}

/** A vault whose admin socket answers, with a device of this lockout. */
async function place(t: Parameters<typeof VaultRig.make>[0], lockout: string): Promise<Place> {
  const rig = await VaultRig.make(t);
  await rig.join(t, { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" });
  const yaml = builtinModelText("eastron-sdm").replace("name: eastron-sdm", "name: own").replace("lockout: unknown", lockout);
  await rig.addPump("plant", { model: { name: "own", yaml, constraints: passwordModel } });
  await rig.setPassword(path, "First-live1");
  const data = createDataFolder(join(shortFolder(t), "v"));
  const routes = vaultRoutes({ core: rig.core, wake: () => {}, connected: () => false, vaultAddress: () => "127.0.0.1:1" });
  const log = createLog({ level: "silent", node: "vault" });
  const server = await createAdminServer({ socketPath: data.adminSocket, routes, log });
  t.teardown(() => server.close());
  const device = new Device();
  return {
    rig,
    folder: data.path,
    device,
    async run(options, terminal = false) {
      const told = { stdout: "", stderr: "", exit: 0 };
      await recover(frameOf(told, terminal), data.path, path, options, device);
      return told;
    },
  };
}

function frameOf(told: { stdout: string; stderr: string; exit: number }, isTerminal: boolean): Frame {
  const write = (stream: "stdout" | "stderr") => ({
    write(text: string) {
      told[stream] += text;
    },
  });
  return {
    output: createOutput(false, { stdout: write("stdout"), stderr: write("stderr") }),
    environment: {},
    isTerminal,
    colours: false,
    secret: () => Promise.reject(new Error("asked for a secret")),
    progress: () => ({ update: () => {}, end: () => {} }),
    exit(code) {
      told.exit = code;
    },
    untilStopped: () => new Promise(() => {}),
  };
}

const three = "lockout: { tries: 3, windowS: 600, durationS: 600, scope: account }";

t.test("the list says in which order, how often and how long to wait, and shows no value", async (t) => {
  const cases: [string, RegExp][] = [
    [three, /1 in 20 min \(it locks out at 3\); after that wait 20 min/],
    ["lockout: unknown", /1 in 30 min \(its lockout is not known\)/],
    ["lockout: none", /never locks out; a probe makes 10 in 60 s/],
  ];
  for (const [lockout, says] of cases) {
    const { run } = await place(t, lockout);
    const { stdout } = await run({});
    t.match(stdout, says, lockout);
    t.match(stdout, /1\. +1\.0 +acknowledged[\s\S]*2\. +1\.1 +issued[\s\S]*3\. +1\.2 +issued/);
    t.notMatch(stdout, /First-live1/);
  }
});

t.test("values go to a terminal or into a file of the owner's, never anywhere else", async (t) => {
  const { run, folder } = await place(t, three);
  await t.rejects(run({ reveal: true }), { code: "CLI_USAGE" });
  await t.rejects(run({ reveal: true, probe: true }, true), { code: "CLI_USAGE" });
  t.match((await run({ reveal: true, at: ["1.0"] }, true)).stdout, /password = First-live1/);
  const toFile = join(folder, "candidates");
  t.notMatch((await run({ toFile })).stdout, /First-live1/);
  t.match(readFileSync(toFile, "utf8"), /1\.0 {2}acknowledged\n {2}password = First-live1/);
  t.equal(statSync(toFile).mode & 0o777, 0o600);
  await t.rejects(run({ toFile }), { code: "CLI_FILE" }, "never over another file");
});

t.test("a probe stops at the first value that works, and the vault knows it", async (t) => {
  const { run, device, rig } = await place(t, "lockout: none");
  const [newest] =
    ((await rig.call("POST", "/v1/credentials/recover", { path, versions: ["1.1"] })) as unknown as {
      fields: { password: string };
    }[]) ?? [];
  device.live = Buffer.from(newest?.fields.password ?? "", "base64").toString();
  const { stdout, stderr, exit } = await run({ probe: true, host: "192.0.2.7", port: "1502" });
  t.equal(exit, 0);
  t.match(stderr, /1\.0 +acknowledged +refused[\s\S]*1\.1 +issued +logs in/);
  t.match(stdout, /1\.1 is live and current now\nnext: enrol an edge/);
  t.match(device.target, { host: "192.0.2.7", port: 1502 }, "where the device is from here");
  t.equal(device.tried.length, 2);
  t.match((await run({})).stdout, /1\. +1\.1 +acknowledged/);
});

t.test("a probe that must not go on says why, by its code", async (t) => {
  const { run, device, rig, folder } = await place(t, three);
  await t.rejects(run({ probe: true }), { code: "RECOVER_WAIT" }, "the edge may have tried until now");
  await t.rejects(run({ probe: true, edgeOffFor: "30" }), { code: "RECOVER_WAIT" }, "after the first of this window");
  t.same(device.tried, ["First-live1"]);
  rig.seams.nowMs += 20 * 60_000;
  device.answer = { kind: "NOT_SENT", code: "DEVICE_UNREACHABLE", detail: "", mayHaveSpentAttempt: false, prepareAgain: false };
  for (let i = 0; i < 3; i += 1) await t.rejects(run({ probe: true }), { code: "RECOVER_UNREACHABLE" }, "nothing is spent");
  for (const wrong of [{ edgeOffFor: "0" }, { port: "70000" }])
    await t.rejects(run({ probe: true, ...wrong }), { code: "CLI_USAGE" });
  const low = await place(t, "lockout: { tries: 2, windowS: 600, durationS: 600, scope: account }");
  await t.rejects(low.run({ probe: true }), { code: "RECOVER_NOT_ALLOWED" });
  const found = await readCase(folder, path, rig.seams.nowMs);
  const alive = { ...found, alive: "edge edge-1 was heard just now" };
  const clock = { wallMs: () => 0, sinceBootMs: () => 0, bootId: () => "b" };
  const options = { folder, wait: false, edgeOffForMs: 0, clock, timers: { after: () => () => {} }, adapters: device };
  await t.rejects(probe(frameOf({ stdout: "", stderr: "", exit: 0 }, false), alive, options), { code: "RECOVER_EDGE_ALIVE" });
});

t.test("where nothing works the exit code and the next step say so", async (t) => {
  const { run, device } = await place(t, "lockout: none");
  const { stderr, exit } = await run({ probe: true });
  t.equal(exit, 1);
  t.match(stderr, /RECOVER_NONE[\s\S]*hint: Reset the device/);
  t.equal(device.tried.length, 3);
});

t.test("a probe that waits goes on when the window has passed", async (t) => {
  const { folder, device, rig } = await place(t, three);
  const told = { stdout: "", stderr: "", exit: 0 };
  const found = await readCase(folder, path, 0);
  // Timers fire at once and let the time pass that they were set for, at the vault too.
  let sinceBootMs = 0;
  const pass = (ms: number) => {
    sinceBootMs += ms;
    rig.seams.nowMs += ms;
  };
  const timers = {
    after(ms: number, fire: () => void) {
      pass(ms);
      queueMicrotask(fire);
      return () => {};
    },
  };
  const clock = { wallMs: () => rig.seams.nowMs, sinceBootMs: () => sinceBootMs, bootId: () => "b" };
  device.live = "nothing that the vault knows";
  const { live } = await probe(frameOf(told, false), found, {
    folder,
    wait: true,
    edgeOffForMs: 0,
    clock,
    timers,
    adapters: device,
  });
  t.equal(live, null);
  t.equal(device.tried.length, 3);
  t.ok(sinceBootMs >= 3 * 20 * 60_000, "one login in each window, the first after the edge's own");
  t.match(told.stderr, /waiting 20 min for the device's lockout window/);
});
