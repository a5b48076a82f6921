import { connect } from "node:net";
import t, { type Test } from "tap";
import { machineSeams } from "../../agent/seams/index.ts";
import {
  createAdapterHost,
  type DeviceJob,
  loadBuiltinModels,
  type Operation,
  type Outcome,
  type PushJob,
} from "../../firmware-adapters/index.ts";
import { ModbusDevice, modbusPeer } from "./modbus-device.ts";
import { peerSuite } from "./peer-suite.ts";

const models = loadBuiltinModels();
const host = createAdapterHost({ timers: machineSeams().timers });
t.teardown(() => host.close());

const newPassword = { eastron: 0x0018, shark: 0x55f3 } as const;
const sharkChecksum = 0x55f2;
const sharkTerminate = 0x55f0;
const kinds = ["eastron", "shark"] as const;
type Kind = (typeof kinds)[number];

interface JobOptions {
  readonly current?: string;
  readonly next?: string | null;
  readonly identity?: string | null;
  readonly timeoutMs?: number;
}

function jobFor(kind: Kind, port: number, options: JobOptions = {}): PushJob {
  const model = models.get(kind === "eastron" ? "eastron-sdm" : "eig-shark");
  if (model === undefined) throw new Error("no such model");
  const next = options.next === undefined ? "4321" : options.next;
  return {
    target: { host: "127.0.0.1", port, settings: {} },
    username: "",
    secrets: {
      current: { password: Buffer.from(options.current ?? "1234") },
      next: next === null ? null : { password: Buffer.from(next) },
    },
    model,
    identity: options.identity ?? null,
    timeoutMs: options.timeoutMs ?? 1000,
    attempts: 1,
    state: Uint8Array.of(1),
  };
}

async function run(operation: Operation, job: PushJob): Promise<Outcome> {
  return host.run("modbus", operation, job as DeviceJob & PushJob);
}

async function device(t: Test, kind: Kind, tries = 0): Promise<ModbusDevice> {
  const started = await ModbusDevice.start(kind, 1234, tries);
  t.teardown(() => started.stop());
  return started;
}

/** Which of the two passwords a fresh login takes. */
async function live(kind: Kind, port: number): Promise<string[]> {
  const taken: string[] = [];
  for (const password of ["1234", "4321"]) {
    const outcome = await run("verify", jobFor(kind, port, { current: password, next: null }));
    if (outcome.kind === "OK") taken.push(password);
  }
  return taken;
}

await peerSuite(t, modbusPeer, async (suite) => {
  for (const kind of kinds) {
    await suite.test(
      `${kind}: prepare, push, verify and save change the password, and it stays through a power cut`,
      async (t) => {
        const meter = await device(t, kind);
        suite.stated(meter.version);
        const job = jobFor(kind, meter.port);
        t.match(await run("prepare", job), { kind: "OK", state: Uint8Array.of(1) });
        t.match(await run("push", job), { kind: "OK", mayHaveSpentAttempt: false });
        t.match(await run("save", jobFor(kind, meter.port, { current: "4321", next: null })), {
          code: "DEVICE_SAVE_NOT_NEEDED",
        });
        t.same(await live(kind, meter.port), ["4321"]);
        await meter.restart();
        t.same(await live(kind, meter.port), ["4321"]);
      },
    );

    await suite.test(`${kind}: a wrong password is refused, and the change is not sent`, async (t) => {
      const meter = await device(t, kind);
      const outcome = await run("push", jobFor(kind, meter.port, { current: "1111" }));
      t.match(outcome, { kind: "REJECTED_AUTH", code: "DEVICE_SECRET_REFUSED", mayHaveSpentAttempt: true });
      t.same(await live(kind, meter.port), ["1234"]);
    });

    for (const fault of ["drop", "mute"] as const) {
      await suite.test(
        `${kind}: the answer to the change is lost (${fault}): AMBIGUOUS, and a fresh login tells`,
        async (t) => {
          const meter = await device(t, kind);
          await meter.fault(fault, kind === "shark" ? sharkChecksum : newPassword.eastron);
          const outcome = await run("push", jobFor(kind, meter.port, { timeoutMs: 300 }));
          t.match(outcome, { kind: "AMBIGUOUS", code: "DEVICE_REPLY_LOST", mayHaveSpentAttempt: false });
          t.same(await live(kind, meter.port), ["4321"]);
        },
      );
    }

    await suite.test(`${kind}: the change itself is lost: AMBIGUOUS, and a fresh login tells`, async (t) => {
      const meter = await device(t, kind);
      await meter.fault("lose", newPassword[kind]);
      t.match(await run("push", jobFor(kind, meter.port)), { kind: "AMBIGUOUS", code: "DEVICE_REPLY_LOST" });
      t.same(await live(kind, meter.port), ["1234"]);
    });

    await suite.test(
      `${kind}: an exception that the model does not expect is AMBIGUOUS, one that it does has its meaning`,
      async (t) => {
        const meter = await device(t, kind);
        await meter.fault("exception 6", newPassword[kind]);
        t.match(await run("push", jobFor(kind, meter.port)), {
          kind: "AMBIGUOUS",
          code: "MODBUS_EXCEPTION",
          detail: /exception 6/,
        });
        await meter.fault("exception 3", newPassword[kind]);
        t.match(await run("push", jobFor(kind, meter.port)), { kind: "REJECTED_POLICY", code: "DEVICE_VALUE_REFUSED" });
        t.same(await live(kind, meter.port), ["1234"]);
      },
    );

    await suite.test(`${kind}: a meter that locks after two wrong passwords refuses the right one too`, async (t) => {
      const meter = await device(t, kind, 2);
      for (let tries = 0; tries < 2; tries += 1) {
        t.match(await run("push", jobFor(kind, meter.port, { current: "1111" })), {
          kind: "REJECTED_AUTH",
          mayHaveSpentAttempt: true,
        });
      }
      t.match(await run("push", jobFor(kind, meter.port)), { kind: "REJECTED_AUTH", mayHaveSpentAttempt: true });
      await meter.restart();
      t.same(await live(kind, meter.port), ["1234"]);
    });

    await suite.test(`${kind}: a meter whose one session is taken gets no login, and no attempt is spent`, async (t) => {
      const meter = await device(t, kind);
      const holder = connect(meter.port, "127.0.0.1");
      t.teardown(() => holder.destroy());
      await new Promise((resolve) => holder.once("connect", resolve));
      // One more fills the queue of connections, so that the adapter's connects and gets no answer.
      const outcome = await run("identify", jobFor(kind, meter.port, { timeoutMs: 300 }));
      if (kind === "shark") t.match(outcome, { kind: "NOT_SENT", code: "DEVICE_NO_ANSWER", mayHaveSpentAttempt: false });
      const pushed = await run("push", jobFor(kind, meter.port, { timeoutMs: 300 }));
      t.match(
        pushed,
        kind === "shark" ? { kind: "NOT_SENT" } : { kind: "AMBIGUOUS", code: "DEVICE_NO_ANSWER", mayHaveSpentAttempt: true },
      );
    });
  }

  await suite.test("shark: a change that was not saved is gone after a power cut, and a repeated push brings it", async (t) => {
    const meter = await device(t, "shark");
    await meter.fault("lose", sharkChecksum);
    t.match(await run("push", jobFor("shark", meter.port)), { kind: "AMBIGUOUS" });
    t.equal(meter.storedPassword, "1234");
    await meter.restart();
    t.same(await live("shark", meter.port), ["1234"]);
    t.match(await run("push", jobFor("shark", meter.port)), { kind: "OK" });
    t.equal(meter.storedPassword, "4321");
  });

  await suite.test(
    "shark: an update session that was left open proves no password: it is ended before the login",
    async (t) => {
      const meter = await device(t, "shark");
      await meter.fault("lose", newPassword.shark);
      t.match(await run("push", jobFor("shark", meter.port)), { kind: "AMBIGUOUS" });
      const wrong = await run("verify", jobFor("shark", meter.port, { current: "4321", next: null }));
      t.match(wrong, { kind: "REJECTED_AUTH" }, "the meter still was in update mode");
      t.match(await run("verify", jobFor("shark", meter.port, { next: null })), { kind: "OK" });
    },
  );

  await suite.test(
    "shark: the meter restarts without an answer when it leaves the update mode, and that is fine",
    async (t) => {
      const meter = await device(t, "shark");
      await meter.fault("drop", sharkTerminate);
      t.match(await run("verify", jobFor("shark", meter.port, { next: null })), { kind: "OK" });
    },
  );

  await suite.test("shark: another serial number is another meter, and gets no login", async (t) => {
    const meter = await device(t, "shark");
    const known = await run("identify", jobFor("shark", meter.port, { next: null }));
    t.match(known, { kind: "OK", identity: "modbus:serial=0000000031337001" });
    for (const operation of ["prepare", "push", "verify"] as const) {
      const outcome = await run(operation, jobFor("shark", meter.port, { identity: "modbus:serial=0000000099999999" }));
      t.match(outcome, { kind: "NOT_SENT", code: "DEVICE_IDENTITY_CHANGED", mayHaveSpentAttempt: false }, operation);
    }
  });

  await suite.test("eastron: a password that differs from the meter's own answer costs no attempt", async (t) => {
    const meter = await device(t, "eastron", 1);
    const outcome = await run("verify", jobFor("eastron", meter.port, { current: "1111", next: null }));
    t.match(outcome, { kind: "REJECTED_AUTH", mayHaveSpentAttempt: false });
    t.match(await run("verify", jobFor("eastron", meter.port, { next: null })), { kind: "OK" });
  });

  await suite.test("a value that the model forbids is refused before the device is touched", async (t) => {
    const meter = await device(t, "shark");
    for (const next of ["5555", "123", "12345", "12a4", "1234"]) {
      t.match(await run("prepare", jobFor("shark", meter.port, { next })), {
        kind: "REJECTED_POLICY",
        code: "DEVICE_VALUE_UNFIT",
      });
    }
  });
});
