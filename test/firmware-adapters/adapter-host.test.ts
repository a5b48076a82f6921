import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import {
  type AdapterHost,
  adapterNames,
  builtinModelText,
  createAdapterHost,
  type DeviceJob,
  type HostTimers,
  idleProcessMs,
  loadModel,
  maxJobsPerProcess,
  maxQueuedJobs,
  maxTimeoutMs,
  type PushJob,
  processGraceMs,
  processStartMs,
} from "../../firmware-adapters/index.ts";

const model = loadModel(builtinModelText("eastron-sdm"));
const secret = "4711";
const root = join(import.meta.dirname, "../..");

/** Timers that fire only when a test says so. */
class ManualTimers implements HostTimers {
  readonly #waiting: { readonly delayMs: number; readonly fire: () => void }[] = [];

  after(delayMs: number, fire: () => void): () => void {
    const entry = { delayMs, fire };
    this.#waiting.push(entry);
    return () => {
      const at = this.#waiting.indexOf(entry);
      if (at >= 0) this.#waiting.splice(at, 1);
    };
  }

  /** Fires every timer of this length; any other length where none is given. */
  fire(delayMs?: number): number {
    const known = [idleProcessMs, processGraceMs, processStartMs];
    const due = this.#waiting.filter((entry) =>
      delayMs === undefined ? !known.includes(entry.delayMs) : entry.delayMs === delayMs,
    );
    for (const entry of due) {
      this.#waiting.splice(this.#waiting.indexOf(entry), 1);
      entry.fire();
    }
    return due.length;
  }
}

function job(port: number): PushJob {
  return {
    target: { host: "127.0.0.1", port, settings: {} },
    username: "",
    secrets: { current: { password: Buffer.from(secret) }, next: { password: Buffer.from("1234") } },
    model,
    identity: null,
    timeoutMs: 20_000,
    attempts: 1,
    state: Uint8Array.of(1),
  };
}

function hostOf(t: Test): { host: AdapterHost; timers: ManualTimers } {
  const timers = new ManualTimers();
  const host = createAdapterHost({ timers });
  t.teardown(async () => {
    const closed = host.close();
    timers.fire(processGraceMs);
    await closed;
  });
  return { host, timers };
}

/** A device that takes connections and never answers; `asked` resolves with each request. */
async function silentDevice(t: Test): Promise<{ port: number; asked(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", () => waiting.shift()?.());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, asked: () => new Promise((resolve) => waiting.push(resolve)) };
}

/** A port of 127.0.0.1 on which nobody listens. */
async function nobody(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

t.test("a process that dies with a login under way leaves AMBIGUOUS, and the next job gets a new process", async (t) => {
  const { host } = hostOf(t);
  const device = await silentDevice(t);
  const asked = device.asked();
  const outcome = host.run("modbus", "push", job(device.port));
  await asked;
  const first = host.processes();
  t.equal(first.length, 1);
  process.kill(first[0]?.pid ?? 0, "SIGKILL");
  t.match(await outcome, { kind: "AMBIGUOUS", code: "ADAPTER_DIED", mayHaveSpentAttempt: true });
  t.match(await host.run("modbus", "push", job(await nobody())), { kind: "NOT_SENT", code: "DEVICE_UNREACHABLE" });
  t.not(host.processes()[0]?.pid, first[0]?.pid);
});

t.test("a process that does not start is killed and nothing was sent; one that takes too long leaves AMBIGUOUS", async (t) => {
  const { host, timers } = hostOf(t);
  const device = await silentDevice(t);
  const early = host.run("modbus", "push", job(device.port));
  t.equal(timers.fire(processStartMs), 1);
  t.match(await early, { kind: "NOT_SENT", code: "ADAPTER_TIMED_OUT", mayHaveSpentAttempt: false });
  const asked = device.asked();
  const late = host.run("modbus", "verify", job(device.port));
  await asked;
  t.equal(timers.fire(), 1);
  t.match(await late, { kind: "AMBIGUOUS", code: "ADAPTER_TIMED_OUT", mayHaveSpentAttempt: true });
});

t.test("the queue has an end, and what waits when the host closes was not sent", async (t) => {
  const { host, timers } = hostOf(t);
  const device = await silentDevice(t);
  const asked = device.asked();
  const running = host.run("modbus", "push", job(device.port));
  await asked;
  const waiting = Array.from({ length: maxQueuedJobs }, () => host.run("modbus", "push", job(device.port)));
  t.match(await host.run("modbus", "push", job(device.port)), { kind: "NOT_SENT", code: "ADAPTER_QUEUE_FULL" });
  const closed = host.close();
  const ended = await Promise.all(waiting);
  t.equal(
    ended.filter((outcome) => outcome.kind === "NOT_SENT" && outcome.code === "ADAPTER_HOST_CLOSED").length,
    maxQueuedJobs,
  );
  t.equal(timers.fire(processGraceMs), 1);
  t.match(await running, { kind: "AMBIGUOUS", code: "ADAPTER_TIMED_OUT" });
  await closed;
  await host.close();
  t.match(await host.run("modbus", "push", job(device.port)), { kind: "NOT_SENT", code: "ADAPTER_HOST_CLOSED" });
  t.same(host.processes(), []);
});

t.test("a process is replaced after its number of jobs, and ends when it has none for a while", async (t) => {
  const { host, timers } = hostOf(t);
  const port = await nobody();
  const pids = new Map<number, number>();
  for (let count = 0; count < maxJobsPerProcess + 1; count += 1) {
    const outcome = host.run("modbus", "identify", job(port));
    const pid = host.processes()[0]?.pid ?? 0;
    pids.set(pid, (pids.get(pid) ?? 0) + 1);
    t.match(await outcome, { kind: "NOT_SENT", code: "DEVICE_UNREACHABLE" });
  }
  t.same([...pids.values()], [maxJobsPerProcess, 1]);
  t.equal(timers.fire(idleProcessMs), 1);
  t.same(host.processes(), []);
});

t.test("the process gets no environment and no secret in its arguments", async (t) => {
  if (!existsSync("/proc/self/environ")) return t.comment("no /proc here");
  // Away from the test runner, which puts its own variables into every process.
  const script = `
    import { readFileSync } from "node:fs";
    const { createAdapterHost, loadModel, builtinModelText } = await import(${JSON.stringify(join(root, "firmware-adapters/index.ts"))});
    const host = createAdapterHost({ timers: { after: () => () => {} } });
    await host.run("modbus", "identify", {
      target: { host: "127.0.0.1", port: ${await nobody()}, settings: {} }, username: "", identity: null, timeoutMs: 1000, attempts: 1,
      secrets: { current: { password: Buffer.from("${secret}") }, next: null }, model: loadModel(builtinModelText("eastron-sdm")),
    });
    const { pid } = host.processes()[0];
    console.log(JSON.stringify(["environ", "cmdline"].map((file) => readFileSync("/proc/" + pid + "/" + file, "utf8"))));
    await host.close();
  `;
  const outer = [
    "-i",
    "DEBUG=modbus-serial",
    "NODE_OPTIONS=--no-deprecation",
    process.execPath,
    "--input-type=module",
    "-e",
    script,
  ];
  const [environ = "", args = ""] = JSON.parse(execFileSync("/usr/bin/env", outer, { encoding: "utf8" })) as string[];
  const names = environ.split("\0").flatMap((entry) => (entry === "" ? [] : [entry.split("=")[0] ?? ""]));
  t.ok(names.length > 0, "the channel's own variables are seen");
  t.same(
    names.filter((name) => !name.startsWith("NODE_CHANNEL")),
    [],
  );
  t.match(args, /child\.ts/);
  t.notMatch(args, new RegExp(secret));
});

t.test("a job that no adapter can take is refused, and one that an adapter chokes on is AMBIGUOUS", async (t) => {
  const { host } = hostOf(t);
  const good = job(await nobody());
  t.match(await host.run("telnet", "verify", good), { kind: "NOT_SENT", code: "ADAPTER_UNKNOWN" });
  t.match(await host.run("snmp", "verify", good), { kind: "NOT_SENT", code: "ADAPTER_UNKNOWN" });
  for (const [timeoutMs, code] of [
    [0, "DEVICE_SETTINGS_INVALID"],
    [maxTimeoutMs, "DEVICE_UNREACHABLE"],
    [maxTimeoutMs + 1, "DEVICE_SETTINGS_INVALID"],
    [Number.NaN, "DEVICE_SETTINGS_INVALID"],
  ] as const) {
    t.match(await host.run("modbus", "verify", { ...good, timeoutMs }), { kind: "NOT_SENT", code }, String(timeoutMs));
  }
  const broken = { ...good, target: { ...good.target, settings: null } } as unknown as DeviceJob;
  t.match(await host.run("modbus", "verify", broken), { kind: "AMBIGUOUS", code: "ADAPTER_THREW", detail: "TypeError" });
  const settings = { ...good, target: { ...good.target, settings: { unitId: "300" } } };
  t.match(await host.run("modbus", "verify", settings), { kind: "NOT_SENT", code: "DEVICE_SETTINGS_INVALID" });
  t.match(await host.run("modbus", "push", { ...good, state: Uint8Array.of(2) }), { kind: "NOT_SENT" });
  t.same(adapterNames, ["modbus", "snmp", "ssh"]);
});
