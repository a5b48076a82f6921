import { createSocket } from "node:dgram";
import { AuthProtocols, createV3Session, PrivProtocols, SecurityLevel } from "net-snmp";
import t, { type Test } from "tap";
import { builtinModelText, type DeviceJob, loadModel, type PushJob } from "../../firmware-adapters/index.ts";
import { snmpAdapter } from "../../firmware-adapters/snmp/index.ts";
import { decodeKeyChangeState, encodeKeyChangeState } from "../../firmware-adapters/snmp/key-change-state.ts";
import { type MessageOutline, outlineOf } from "../../firmware-adapters/snmp/message-outline.ts";

const model = loadModel(builtinModelText("generic-snmpv3"));
const engineId = Buffer.from("80001f8880cccccccccccccccc", "hex");

function jobFor(port: number, changes: Partial<DeviceJob> = {}): DeviceJob {
  return {
    target: { host: "127.0.0.1", port, settings: {} },
    username: "rotator",
    secrets: {
      current: { authPassword: Buffer.from("currentAuthPassword2"), privPassword: Buffer.from("currentPrivPassword2") },
      next: { authPassword: Buffer.from("nextAuthPassword2345"), privPassword: Buffer.from("nextPrivPassword2345") },
    },
    model,
    identity: null,
    timeoutMs: 200,
    attempts: 1,
    ...changes,
  };
}

/** BER, as much as a forger needs. */
function ber(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const length = body.length < 128 ? Buffer.of(body.length) : Buffer.of(0x82, body.length >> 8, body.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, body]);
}

function integer(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; left > 0 || bytes.length === 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  if ((bytes[0] ?? 0) >= 0x80) bytes.unshift(0);
  return ber(0x02, Buffer.from(bytes));
}

/** usmStats counter `n`.0 as an OID's bytes. */
const usmStatsOid = (n: number) => Buffer.from([0x2b, 6, 1, 6, 3, 15, 1, 1, n, 0]);

interface Forgery {
  readonly messageId: number;
  readonly pduTag: number;
  readonly oid: Uint8Array;
  readonly value: Uint8Array;
  readonly flags?: number;
  readonly engine?: Uint8Array;
}

/** An SNMPv3 message in clear. */
function message(forged: Forgery): Buffer {
  const engine = forged.engine ?? engineId;
  const pdu = ber(
    forged.pduTag,
    integer(forged.messageId),
    integer(0),
    integer(0),
    ber(0x30, ber(0x30, ber(0x06, forged.oid), forged.value)),
  );
  const security = ber(0x30, ber(0x04, engine), integer(1), integer(100), ber(0x04), ber(0x04), ber(0x04));
  return ber(
    0x30,
    integer(3),
    ber(0x30, integer(forged.messageId), integer(65_507), ber(0x04, Buffer.of(forged.flags ?? 0)), integer(3)),
    ber(0x04, security),
    ber(0x30, ber(0x04, engine), ber(0x04), pdu),
  );
}

const report = 0xa8;
const response = 0xa2;

/** An agent that answers the discovery, and a login with what `answer` forges. */
async function fakeAgent(t: Test, answer: (login: MessageOutline) => readonly Buffer[]) {
  const socket = createSocket("udp4");
  const seen: MessageOutline[] = [];
  socket.on("message", (datagram, from) => {
    const outline = outlineOf(datagram);
    if (outline === null) return;
    seen.push(outline);
    const counter = { oid: usmStatsOid(4), value: ber(0x41, Buffer.of(1)) };
    const answers = outline.authenticated
      ? answer(outline)
      : [message({ messageId: outline.messageId, pduTag: report, ...counter })];
    for (const datagram of answers) socket.send(datagram, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", () => resolve()));
  t.teardown(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return { port: socket.address().port, seen };
}

const engineOid = Buffer.from([0x2b, 6, 1, 6, 3, 10, 2, 1, 1, 0]);

t.test("an answer in clear proves nothing, whoever forges it", async (t) => {
  const forged = ({ messageId }: MessageOutline) =>
    message({ messageId, pduTag: response, oid: engineOid, value: ber(0x04, engineId) });
  const cases: readonly (readonly [string, (login: MessageOutline) => readonly Buffer[]])[] = [
    ["a response in clear", (login) => [forged(login)]],
    [
      "a response in clear that says it is authenticated",
      ({ messageId }) => [message({ messageId, pduTag: response, oid: engineOid, value: ber(0x04, engineId), flags: 1 })],
    ],
    [
      "a response that only claims to be encrypted",
      ({ messageId }) => [message({ messageId, pduTag: response, oid: engineOid, value: ber(0x04, engineId), flags: 3 })],
    ],
    [
      "a report of another engine",
      ({ messageId }) => [
        message({
          messageId,
          pduTag: report,
          oid: usmStatsOid(5),
          value: ber(0x41, Buffer.of(1)),
          engine: Buffer.from("8000000001020304", "hex"),
        }),
      ],
    ],
    [
      "a report of another message",
      ({ messageId }) => [
        message({ messageId: messageId ^ 1, pduTag: report, oid: usmStatsOid(5), value: ber(0x41, Buffer.of(1)) }),
      ],
    ],
    [
      "a report in clear about the clock",
      ({ messageId }) => [message({ messageId, pduTag: report, oid: usmStatsOid(2), value: ber(0x41, Buffer.of(1)) })],
    ],
    ["noise", () => [Buffer.from("3082ffff02", "hex"), Buffer.alloc(0), Buffer.alloc(1400, 0x30)]],
  ];
  for (const [what, answer] of cases) {
    const agent = await fakeAgent(t, answer);
    const outcome = await snmpAdapter.verify(jobFor(agent.port));
    t.match(outcome, { kind: "AMBIGUOUS", code: "DEVICE_NO_ANSWER", mayHaveSpentAttempt: true }, what);
    t.equal(agent.seen.filter((outline) => outline.authenticated).length, 1, `${what}: one login`);
  }
});

t.test("the library alone would take a response in clear: the link in between is what refuses it", async (t) => {
  const agent = await fakeAgent(t, ({ messageId }) => [
    message({ messageId, pduTag: response, oid: engineOid, value: ber(0x04, engineId) }),
  ]);
  const user = {
    name: "rotator",
    level: SecurityLevel.authPriv,
    authProtocol: AuthProtocols.sha256,
    authKey: "any password at all",
    privProtocol: PrivProtocols.aes,
    privKey: "any password at all",
  };
  const session = createV3Session("127.0.0.1", user, { version: 3, port: agent.port, retries: 0, timeout: 1000 });
  t.teardown(() => session.close());
  const error = await new Promise((resolve) => session.get(["1.3.6.1.6.3.10.2.1.1.0"], resolve));
  t.equal(error, null, "a wrong secret was proven right");
});

t.test("a Report says what the agent did not like", async (t) => {
  const cases = [
    [1, { kind: "AMBIGUOUS", code: "SNMP_REQUEST_REFUSED" }],
    [3, { kind: "REJECTED_AUTH", code: "SNMP_USER_UNKNOWN" }],
    [5, { kind: "REJECTED_AUTH", code: "DEVICE_SECRET_REFUSED" }],
    [6, { kind: "REJECTED_AUTH", code: "DEVICE_SECRET_REFUSED" }],
    [4, { kind: "AMBIGUOUS", code: "DEVICE_ANSWER_UNEXPECTED" }],
  ] as const;
  for (const [counter, expected] of cases) {
    const agent = await fakeAgent(t, ({ messageId }) => [
      message({ messageId, pduTag: report, oid: usmStatsOid(counter), value: ber(0x41, Buffer.of(1)) }),
    ]);
    t.match(await snmpAdapter.verify(jobFor(agent.port)), { ...expected, mayHaveSpentAttempt: true }, `usmStats ${counter}`);
  }
});

t.test("without a discovery no login leaves, and another engine than the known one gets none", async (t) => {
  const silent = createSocket("udp4");
  await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", () => resolve()));
  t.teardown(() => new Promise<void>((resolve) => silent.close(() => resolve())));
  const outcome = await snmpAdapter.verify(jobFor(silent.address().port));
  t.match(outcome, { kind: "NOT_SENT", code: "DEVICE_UNREACHABLE", mayHaveSpentAttempt: false });
  const agent = await fakeAgent(t, () => []);
  for (const identity of ["snmp-engine:80001f8880dddddddddddddddd", "modbus:serial=1", "snmp-engine:"]) {
    t.match(
      await snmpAdapter.verify(jobFor(agent.port, { identity })),
      { kind: "NOT_SENT", code: "DEVICE_IDENTITY_CHANGED" },
      identity,
    );
  }
  t.notOk(agent.seen.some((outline) => outline.authenticated));
});

t.test("a new value that the model forbids, or that is the old one, is refused before anything is sent", async (t) => {
  const { secrets } = jobFor(1);
  for (const [field, value] of [
    ["authPassword", "short2Aa"],
    ["privPassword", "with blank 2345678"],
    ["privPassword", "currentPrivPassword2"],
  ] as const) {
    const next = { ...secrets.next, [field]: Buffer.from(value) };
    const outcome = await snmpAdapter.prepare(jobFor(1, { secrets: { ...secrets, next } }));
    t.match(outcome, { kind: "REJECTED_POLICY", code: "DEVICE_VALUE_UNFIT", mayHaveSpentAttempt: false });
  }
});

t.test("a prepared state reads back as it was written, and nothing else is one", async (t) => {
  const protocols = { hash: "SHA-256", cipher: "AES-128", extension: "blumenthal" } as const;
  const fill = (length: number) => new Uint8Array(length).map((_, index) => index);
  const base = { engineId: fill(13), spinLock: 4711, auth: fill(64), priv: fill(32), marker: fill(16) };
  const ofUser = (clonedFrom: string | null) => decodeKeyChangeState(encodeKeyChangeState({ ...base, clonedFrom }), protocols);
  t.same(ofUser("a".repeat(32)), { ...base, clonedFrom: "a".repeat(32) });
  t.equal(ofUser("a".repeat(33)), null, "no user has such a name");
  const state = { ...base, clonedFrom: null };
  const bytes = encodeKeyChangeState(state);
  t.same(decodeKeyChangeState(bytes, protocols), state);
  t.same(encodeKeyChangeState(decodeKeyChangeState(bytes, protocols) ?? state), bytes);
  t.equal(decodeKeyChangeState(bytes, { ...protocols, hash: "SHA-1" }), null, "another hash");
  t.equal(decodeKeyChangeState(bytes, { ...protocols, cipher: "AES-256" }), null, "another cipher");
  for (let length = 0; length < bytes.length; length += 1)
    t.equal(decodeKeyChangeState(bytes.slice(0, length), protocols), null);
  const job: PushJob = { ...jobFor(1), state: Uint8Array.of(1) };
  t.match(await snmpAdapter.push(job), { kind: "NOT_SENT", code: "DEVICE_STATE_MALFORMED" });
  const other = encodeKeyChangeState({ ...state, clonedFrom: "admin" });
  t.match(
    await snmpAdapter.push({ ...job, state: other }),
    { kind: "NOT_SENT", code: "DEVICE_STATE_MALFORMED", prepareAgain: true },
    "what another user was to send is not sent by the account itself",
  );
  const alone = { ...jobFor(1), ownUnknown: true };
  t.match(await snmpAdapter.prepare(alone), { kind: "NOT_SENT", code: "SNMP_HELPER_MISSING" });
  t.match(await snmpAdapter.push({ ...alone, state: other }), {
    kind: "NOT_SENT",
    code: "SNMP_HELPER_MISSING",
    prepareAgain: true,
  });
});

t.test("a cut or changed datagram has an outline or none, and never throws", async (t) => {
  const whole = message({ messageId: 0x12345678, pduTag: report, oid: usmStatsOid(5), value: ber(0x41, Buffer.of(1)) });
  t.match(outlineOf(whole), { messageId: 0x12345678, authenticated: false, encrypted: false, engineId, report: 5 });
  for (let length = 0; length < whole.length; length += 1)
    t.equal(outlineOf(whole.subarray(0, length)), null, `${length} bytes`);
  for (let bit = 0; bit < 8 * whole.length; bit += 1) {
    const changed = Buffer.from(whole);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    t.doesNotThrow(() => outlineOf(changed));
  }
});
