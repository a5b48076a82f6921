import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { deliverMeter, startMeter } from "../../cli/demo/modbus-server.ts";
import { builtinModelText, loadModel, type ModbusModel, type PushJob } from "../../firmware-adapters/index.ts";
import { modbusAdapter } from "../../firmware-adapters/modbus/index.ts";
import { decodeInteger, describeValue, encodeNumber, encodeSecret } from "../../firmware-adapters/modbus/registers.ts";
import { startTcpCutter } from "../support/cutter.ts";

function modelOf(text: string): ModbusModel {
  const model = loadModel(text);
  if (model.adapter !== "modbus") throw new Error("not a Modbus model");
  return model;
}

const eastron = modelOf(builtinModelText("eastron-sdm"));
const shark = modelOf(builtinModelText("eig-shark"));

function jobFor(
  port: number,
  options: { model?: ModbusModel; current?: string; next?: string; timeoutMs?: number } = {},
): PushJob {
  return {
    target: { host: "127.0.0.1", port, settings: {} },
    username: "",
    secrets: {
      current: { password: Buffer.from(options.current ?? "1234") },
      next: { password: Buffer.from(options.next ?? "4321") },
    },
    model: options.model ?? eastron,
    identity: null,
    timeoutMs: options.timeoutMs ?? 2000,
    attempts: 1,
    state: Uint8Array.of(1),
  };
}

async function listening(t: Test, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function meter(t: Test, kind: "eastron-sdm" | "eig-shark") {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-meter-"));
  deliverMeter(folder, 1234);
  let server = await startMeter(folder, kind);
  t.teardown(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    get port() {
      return server.port;
    },
    async powerCycle() {
      await server.close();
      server = await startMeter(folder, kind);
    },
  };
}

t.test("values lie in registers in the order that a device wants", async (t) => {
  const big = { wordOrder: "big", byteOrder: "big" } as const;
  const words = { wordOrder: "little", byteOrder: "big" } as const;
  const both = { wordOrder: "little", byteOrder: "little" } as const;
  const u16 = { kind: "u16", registers: 1 } as const;
  const u32 = { kind: "u32", registers: 2 } as const;
  const float = { kind: "float32", registers: 2 } as const;
  const ascii = { kind: "ascii", registers: 3 } as const;
  t.same(encodeNumber(0x12345678, u32, big), [0x1234, 0x5678]);
  t.same(encodeNumber(0x12345678, u32, words), [0x5678, 0x1234]);
  t.same(encodeNumber(0x12345678, u32, both), [0x7856, 0x3412]);
  t.same(encodeNumber(1000, float, big), [0x447a, 0x0000]);
  t.same(encodeSecret(Buffer.from("1000"), float, big), [0x447a, 0x0000]);
  t.same(encodeSecret(Buffer.from("0042"), u16, big), [42]);
  t.same(encodeSecret(Buffer.from("abcde"), ascii, big), [0x6162, 0x6364, 0x6500]);
  t.same(encodeSecret(Buffer.from("abcde"), ascii, both), [0x6261, 0x6463, 0x0065]);
  for (const order of [big, words, both]) {
    t.equal(decodeInteger(encodeNumber(0x89abcdef, u32, order) ?? [], u32, order), 0x89abcdef);
    t.equal(describeValue(encodeSecret(Buffer.from("SN 42"), ascii, order) ?? [], ascii, order), "SN 42");
    t.equal(describeValue(encodeNumber(7, float, order) ?? [], float, order), "7");
  }
  for (const [value, type] of [
    ["65536", u16],
    ["16777217", float],
    ["4294967296", u32],
    ["12345678901", u32],
    ["", u16],
    ["-1", u16],
    ["1.5", float],
    ["abcdefg", ascii],
    ["é", ascii],
  ] as const) {
    t.equal(encodeSecret(Buffer.from(value), type, big), null, value);
  }
  for (const [value, type] of [
    ["65535", u16],
    ["16777216", float],
    ["4294967295", u32],
  ] as const) {
    t.not(encodeSecret(Buffer.from(value), type, big), null, value);
  }
});

for (const [kind, model] of [
  ["eastron-sdm", eastron],
  ["eig-shark", shark],
] as const) {
  t.test(`the demo's ${kind} takes a new password, and keeps it through a power cut`, async (t) => {
    const device = await meter(t, kind);
    t.match(await modbusAdapter.push(jobFor(device.port, { model, current: "1111" })), { kind: "REJECTED_AUTH" });
    t.match(await modbusAdapter.push(jobFor(device.port, { model })), { kind: "OK" });
    await device.powerCycle();
    t.match(await modbusAdapter.verify(jobFor(device.port, { model, current: "4321" })), { kind: "OK" });
    t.match(await modbusAdapter.verify(jobFor(device.port, { model, current: "1234" })), { kind: "REJECTED_AUTH" });
  });
}

t.test("whatever byte of the device's answers is the last, no outcome says what is not so", async (t) => {
  // Three answers of a push: the login's, its status, the change's. A device reads a request before it loses its answer.
  const answers = 12 + 13 + 12;
  const seen = new Set<string>();
  for (let bytes = 0; bytes <= answers; bytes += 1) {
    const device = await meter(t, "eastron-sdm");
    const cutter = await startTcpCutter(() => device.port, { direction: "answer", after: bytes, how: "end" });
    t.teardown(() => cutter.close());
    const outcome = await modbusAdapter.push(jobFor(cutter.port));
    const changed = (await modbusAdapter.verify(jobFor(device.port, { current: "4321" }))).kind === "OK";
    seen.add(`${outcome.kind} ${changed}`);
    if (outcome.kind === "OK") t.ok(changed, `OK after ${bytes} bytes`);
    else t.match(outcome, { kind: "AMBIGUOUS" }, `after ${bytes} bytes`);
    if (bytes < 12 + 13) t.notOk(changed);
  }
  t.same([...seen].sort(), ["AMBIGUOUS false", "AMBIGUOUS true", "OK true"]);
});

/** A device that answers each request with what `answer` makes of it. */
function scripted(t: Test, answer: (request: Buffer, count: number) => Buffer | null): Promise<number> {
  let count = 0;
  return listening(t, (socket) => {
    socket.on("data", (request: Buffer) => {
      count += 1;
      const pdu = answer(request.subarray(7), count);
      if (pdu === null) return;
      const frame = Buffer.concat([request.subarray(0, 7), pdu]);
      frame.writeUInt16BE(pdu.length + 1, 4);
      socket.write(frame);
    });
  });
}

t.test("an answer that does not belong to the request is AMBIGUOUS, never yes", async (t) => {
  const granted = Buffer.from("03043f800000", "hex");
  const cases: readonly (readonly [string, (request: Buffer) => Buffer])[] = [
    ["another address", (request) => Buffer.concat([Buffer.from([16, 0, 0x99]), request.subarray(3, 5)])],
    ["another count", (request) => Buffer.concat([request.subarray(0, 3), Buffer.from([0, 1])])],
    ["another function", () => Buffer.from("0600180001", "hex")],
    ["an exception of another function", () => Buffer.from("8302", "hex")],
    ["one byte more", (request) => Buffer.concat([request.subarray(0, 5), Buffer.from([0])])],
    ["nothing after the function", () => Buffer.from([16])],
  ];
  for (const [what, change] of cases) {
    const port = await scripted(t, (request, count) =>
      count === 1 ? request.subarray(0, 5) : count === 2 ? granted : change(request),
    );
    const outcome = await modbusAdapter.push(jobFor(port, { timeoutMs: 200 }));
    t.match(outcome, { kind: "AMBIGUOUS", code: "DEVICE_REPLY_LOST", mayHaveSpentAttempt: false }, what);
  }
  const port = await scripted(t, (request) => request.subarray(0, 5));
  const outcome = await modbusAdapter.push(jobFor(port, { timeoutMs: 200 }));
  t.match(outcome, { kind: "AMBIGUOUS", code: "DEVICE_NO_ANSWER", mayHaveSpentAttempt: true }, "an answer that is no status");
});

t.test("a device that ends its side of the connection and keeps ours open does not hold the operation up", async (t) => {
  const port = await listening(t, (socket) => {
    socket.allowHalfOpen = true;
    socket.once("data", () => socket.end());
  });
  const started = performance.now();
  t.match(await modbusAdapter.push(jobFor(port, { timeoutMs: 30_000 })), { kind: "AMBIGUOUS", code: "DEVICE_NO_ANSWER" });
  t.ok(performance.now() - started < 15_000);
});

t.test("a device that says much about itself is named by the beginning and a hash of it", async (t) => {
  const text = builtinModelText("eastron-sdm").replace(
    /recipe:[\s\S]*$/,
    [
      "recipe:",
      "  identify:",
      "    - read: { address: 1, type: ascii 64, as: one }",
      "    - read: { address: 200, type: ascii 64, as: two }",
      "  unlock:",
      "    - write: { address: 10, type: u16, value: current, function: 6, exceptions: { 3: REJECTED_AUTH } }",
      "  push:",
      "    - unlock: current",
      "    - write: { address: 22, type: u16, value: next, function: 6, exceptions: { 3: REJECTED_POLICY } }",
      "  verify:",
      "    - unlock: current",
      "",
    ].join("\n"),
  );
  let last = "x";
  const port = await scripted(t, (request) => {
    const value = `${"x".repeat(127)}${request.readUInt16BE(1) === 200 ? last : "x"}`;
    return Buffer.concat([Buffer.from([3, 128]), Buffer.from(value)]);
  });
  const identityOf = async () => {
    const outcome = await modbusAdapter.identify(jobFor(port, { model: modelOf(text) }));
    return outcome.kind === "OK" ? outcome.identity : outcome.code;
  };
  const first = await identityOf();
  t.match(first, /^modbus:one=x{128},two=x{38}#[0-9a-f]{64}$/);
  t.equal(first?.length, 247);
  last = "y";
  t.not(await identityOf(), first, "also where only the end differs");
});

t.test("steps with FC05, FC06, named values and conditions run as written", async (t) => {
  const text = builtinModelText("eastron-sdm").replace(
    /recipe:[\s\S]*$/,
    [
      "recipe:",
      "  identify:",
      "    - read: { address: 1, type: u16, as: make }",
      "    - read: { address: 2, type: ascii 2, as: serial }",
      "  unlock:",
      "    - write: { address: 10, type: u16, value: current, function: 6, exceptions: { 3: REJECTED_AUTH, 6: BUSY } }",
      "  push:",
      "    - unlock: current",
      "    - read: { address: 20, type: u16, as: token }",
      "    - write: { address: 21, type: u16, value: $token, function: 6 }",
      "    - write: { address: 22, type: u16, value: next, function: 6, exceptions: { 3: REJECTED_POLICY } }",
      "    - coil: { address: 30, on: true, exceptions: { 4: REJECTED_POLICY } }",
      "    - wait: 1",
      "    - expect: { address: 23, type: u16, mask: 0x00FF, equals: 7, withinMs: 3000, otherwise: AMBIGUOUS }",
      "  verify:",
      "    - unlock: current",
      "",
    ].join("\n"),
  );
  const model = modelOf(text);
  const requests: string[] = [];
  let looks = 0;
  let refuse: { function: number; code: number } | null = null;
  const port = await scripted(t, (request) => {
    requests.push(request.toString("hex"));
    if (refuse !== null && request[0] === refuse.function) return Buffer.from([refuse.function | 0x80, refuse.code]);
    if (request[0] !== 3) return request;
    const address = request.readUInt16BE(1);
    if (address === 2) return Buffer.from("0304534e3432", "hex");
    if (address === 23) looks += 1;
    return Buffer.from([3, 2, 0xab, address === 23 ? (looks < 3 ? 6 : 7) : address]);
  });
  const job = jobFor(port, { model });
  t.match(await modbusAdapter.push(job), { kind: "OK", identity: "modbus:make=43777,serial=SN42" });
  t.same(requests, [
    "0300010001",
    "0300020002",
    "06000a04d2",
    "0300140001",
    "060015ab14",
    "06001610e1",
    "05001eff00",
    "0300170001",
    "0300170001",
    "0300170001",
  ]);
  const meanings = [
    [
      { function: 6, code: 3 },
      { kind: "REJECTED_AUTH", mayHaveSpentAttempt: true },
    ],
    [
      { function: 6, code: 6 },
      { kind: "NOT_SENT", code: "DEVICE_BUSY", mayHaveSpentAttempt: false },
    ],
    [
      { function: 6, code: 4 },
      { kind: "AMBIGUOUS", code: "MODBUS_EXCEPTION", mayHaveSpentAttempt: true },
    ],
    [
      { function: 5, code: 4 },
      { kind: "AMBIGUOUS", code: "DEVICE_ANSWER_UNEXPECTED", mayHaveSpentAttempt: false },
    ],
    [
      { function: 3, code: 2 },
      { kind: "NOT_SENT", code: "MODBUS_EXCEPTION" },
    ],
  ] as const;
  for (const [refusal, expected] of meanings) {
    refuse = refusal;
    t.match(await modbusAdapter.push(job), expected, JSON.stringify(refusal));
  }
});
