import t from "tap";
import {
  cefMessage,
  cefSyslogMessage,
  type EventFormat,
  eventOf,
  jsonLine,
  maxSyslogBytes,
  ocsfLine,
  severities,
  severityOf,
  syslogMessage,
} from "../../../agent/event-format/index.ts";
import { AUDIT_ACTIONS, encodeLeaf, hashLeaf, type Leaf, OUTCOMES } from "../../../protocol/audit/index.ts";
import { toHex } from "../../../protocol/base/index.ts";
import { ocsfRequired, parseCef, parseSyslog, unsafe, visible } from "./format-readers.ts";
import { speaker } from "./rig.ts";

const origin = "plant.example/tidegate/1/log/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/0";
const formats: Readonly<Record<string, EventFormat>> = { syslogMessage, cefMessage, cefSyslogMessage, ocsfLine, jsonLine };

/** Everything that some format gives a meaning, and what may end a line or drive a terminal. */
const hostile = 'a|b=c"d\\e]f\ng\rh\ti\u0000j\u001b[31mk\u0085l\u2028m\u202en\u00e9\u6f22\u{1f600}';

function leaf(changes: Partial<Leaf> = {}): Leaf {
  return {
    log: 0,
    index: 7,
    time: [1_700_000_000_000, 1_700_000_000_500],
    wallMs: 1_700_000_000_123,
    boot: "boot-1",
    sinceBootMs: 5_000,
    node: "a".repeat(32),
    action: "credential.read",
    actor: { kind: "application", id: "hmi" },
    subject: { kind: "account", id: "line-4/plc-1/admin" },
    outcome: "ok",
    code: null,
    details: { count: 3, version: "1.2" },
    ...changes,
  };
}

const eventWith = (changes: Partial<Leaf> = {}) => eventOf(encodeLeaf(leaf(changes)), origin);
const hostileEvent = eventWith({
  actor: { kind: "application", id: hostile },
  subject: { kind: "account", id: hostile },
  code: "AUTH_DENIED",
  outcome: "denied",
  details: { version: hostile },
});

t.test(
  "an RFC 5424 message has place, hash and parties as structured data, and the leaf's exact bytes as its text",
  async (t) => {
    const event = eventWith();
    const read = parseSyslog(syslogMessage(event, speaker));
    t.match(read, {
      pri: 13 * 8 + 6,
      time: "2023-11-14T22:13:20.123Z",
      host: "edge-1",
      app: "tidegate-edge",
      procid: "-",
      msgid: "credential.read",
      text: event.text,
    });
    t.same(
      [...(read.elements.get("tidegate@32473") ?? [])],
      [
        ["origin", origin],
        ["index", "7"],
        ["hash", toHex(hashLeaf(encodeLeaf(leaf())))],
        ["node", "a".repeat(32)],
        ["actorKind", "application"],
        ["actor", "hmi"],
        ["subjectKind", "account"],
        ["subject", "line-4/plc-1/admin"],
        ["outcome", "ok"],
      ],
    );
    t.equal(read.elements.get("timeQuality")?.get("isSynced"), "1");
  },
);

t.test("what an event is called by others breaks no format", async (t) => {
  for (const [name, format] of Object.entries(formats)) {
    const message = format(hostileEvent, { ...speaker, name: hostile });
    t.notMatch(message, unsafe, `${name}: one line that drives no terminal`);
    t.equal(Buffer.from(message).toString(), message, `${name}: UTF-8`);
  }
  const syslog = parseSyslog(syslogMessage(hostileEvent, { ...speaker, name: hostile }));
  t.equal(syslog.elements.get("tidegate@32473")?.get("actor"), visible(hostile));
  t.equal(syslog.elements.get("tidegate@32473")?.get("code"), "AUTH_DENIED");
  t.equal(syslog.text, hostileEvent.text);
  const cef = parseCef(cefMessage(hostileEvent, { ...speaker, version: hostile }));
  t.equal(cef.fields[3], visible(hostile));
  t.equal(cef.extension.get("suser"), visible(hostile, "kept"));
  t.equal(JSON.parse(jsonLine(hostileEvent, speaker)).leaf.actor.id, hostile);
  t.equal(JSON.parse(ocsfLine(hostileEvent, speaker)).unmapped.actor, hostile);
});

t.test("a CEF line has the seven fields of its header and the dictionary's keys", async (t) => {
  const { fields, extension } = parseCef(cefMessage(eventWith({ outcome: "denied", code: "AUTH_DENIED" }), speaker));
  t.same(fields, ["CEF:0", "Tidegate", "Tidegate edge", "0.1.0", "credential.read", "credential read", "5"]);
  t.same(Object.fromEntries(extension), {
    rt: "1700000000123",
    dvchost: "edge-1",
    deviceExternalId: "a".repeat(32),
    externalId: "7",
    act: "credential.read",
    outcome: "denied",
    suser: "hmi",
    duser: "line-4/plc-1/admin",
    reason: "AUTH_DENIED",
    cn1Label: "leafIndex",
    cn1: "7",
    cs1Label: "logOrigin",
    cs1: origin,
    cs2Label: "leafHash",
    cs2: toHex(hashLeaf(encodeLeaf(leaf({ outcome: "denied", code: "AUTH_DENIED" })))),
    cs3Label: "actorKind",
    cs3: "application",
    cs4Label: "subjectKind",
    cs4: "account",
    msg: "count: 3, version: 1.2",
  });
  const over = cefSyslogMessage(eventWith(), speaker);
  t.equal(parseSyslog(over).text, cefMessage(eventWith(), speaker), "over syslog it is the text of a message");
});

t.test("a JSON line holds the exact leaf, so that anybody can compute its hash", async (t) => {
  const line = jsonLine(hostileEvent, speaker);
  const text = line.slice(line.indexOf(',"leaf":') + 8, -1);
  t.equal(text, hostileEvent.text);
  t.match(JSON.parse(line), { origin, index: 7, hash: toHex(hashLeaf(Buffer.from(text))), severity: "warning", role: "edge" });
});

function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}

t.test("every action is an OCSF event of a class with all that the class requires", async (t) => {
  const classes = new Map<string, number>();
  for (const action of Object.keys(AUDIT_ACTIONS)) {
    for (const outcome of OUTCOMES) {
      const event = JSON.parse(ocsfLine(eventWith({ action, outcome, details: {} }), speaker));
      const { class_uid, category_uid, activity_id, type_uid } = event;
      const { fields, activities } = ocsfRequired[class_uid] ?? { fields: ["a class that is known"], activities: [] };
      t.equal("actor" in event, ![0, 2004, 3005, 6002].includes(class_uid), `${action}: a key that its class does not know`);
      const missing = [...fields, "metadata.version", "metadata.product.vendor_name", "time", "severity_id"].filter(
        (path) => at(event, path) === undefined,
      );
      t.same(missing, [], `${action} is of class ${class_uid}`);
      t.ok(
        activities.includes(activity_id) || (activity_id === 99 && event.activity_name !== undefined),
        `${action}: ${activity_id}`,
      );
      t.same([category_uid, type_uid], [Math.floor(class_uid / 1000), class_uid * 100 + activity_id]);
      t.ok(event.severity_id >= 1 && event.severity_id <= 6);
      t.equal(event.raw_data, eventWith({ action, outcome, details: {} }).text);
      classes.set(action, class_uid);
    }
  }
  const some = [
    "login.deny",
    "credential.read",
    "rotation.verified",
    "device.add",
    "lease.open",
    "node.start",
    "stream.fork",
    "bundle.apply",
  ];
  t.same(
    some.map((action) => classes.get(action)),
    [3002, 6003, 3001, 3004, 3005, 6002, 2004, 0],
  );
});

t.test("an event names itself by log and index in every format", async (t) => {
  t.equal(JSON.parse(ocsfLine(eventWith(), speaker)).metadata.uid, `${origin}#7`);
  const far = JSON.parse(ocsfLine(eventWith({ index: 2 ** 31 }), speaker));
  t.same([far.metadata.sequence, far.unmapped.index], [undefined, 2 ** 31], "beyond what OCSF's integer can say");
  t.equal(JSON.parse(ocsfLine(eventWith({ index: 2 ** 31 - 1 }), speaker)).metadata.sequence, 2 ** 31 - 1);
});

t.test("the severity is the gravest of what action and outcome say", async (t) => {
  const cases: [action: string, outcome: Leaf["outcome"], expected: string][] = [
    ["credential.read", "ok", "informational"],
    ["credential.read", "denied", "warning"],
    ["rotation.verified", "ok", "notice"],
    ["rotation.verify", "failed", "error"],
    ["rotation.unknown", "ok", "critical"],
    ["media.write", "unknown", "notice"],
    ["stream.fork", "ok", "alert"],
    ["node.clone", "denied", "alert"],
    ["login.deny", "denied", "warning"],
    ["later.version", "ok", "informational"],
    ["later.version", "failed", "error"],
    ["constructor.name", "ok", "informational"],
  ];
  for (const [action, outcome, expected] of cases)
    t.equal(severityOf({ action, outcome, details: {} }), expected, `${action} ${outcome}`);
  t.equal(severityOf({ action: "node.start", outcome: "ok", details: { lastStop: "crash" } }), "warning");
  t.equal(severityOf({ action: "node.start", outcome: "ok", details: { lastStop: "clean" } }), "notice");
  const numbers = severities.map((severity) => {
    const event = { ...eventWith(), severity };
    const cef = Number(parseCef(cefMessage(event, speaker)).fields[6]);
    return [parseSyslog(syslogMessage(event, speaker)).pri % 8, cef, JSON.parse(ocsfLine(event, speaker)).severity_id];
  });
  t.same(numbers, [
    [1, 10, 5],
    [2, 9, 4],
    [3, 7, 3],
    [4, 5, 2],
    [5, 3, 1],
    [6, 1, 1],
  ]);
});

t.test("the time is the machine's where the signed time does not contradict it", async (t) => {
  const cases: [wallMs: number, time: Leaf["time"], expected: number][] = [
    [5_000, [4_000, 6_000], 5_000],
    [4_000, [4_000, 6_000], 4_000],
    [6_000, [4_000, 6_000], 6_000],
    [3_999, [4_000, 6_000], 4_000],
    [6_001, [4_000, 6_000], 4_000],
    [9_999, [4_000, null], 9_999],
    [0, [4_000, null], 4_000],
  ];
  for (const [wallMs, time, expected] of cases) t.equal(eventWith({ wallMs, time }).atMs, expected);
  const last = eventWith({ wallMs: Number.MAX_SAFE_INTEGER, time: [0, null] });
  t.equal(parseSyslog(syslogMessage(last, speaker)).time, "9999-12-31T23:59:59.999Z");
  t.equal(
    parseSyslog(syslogMessage(eventWith({ time: [0, null] }), speaker))
      .elements.get("timeQuality")
      ?.get("isSynced"),
    "0",
  );
});

const emptyDetails = Object.fromEntries([..."abcdefgh"].map((key) => [key, ""]));

t.test("a message is at most as long as every receiver takes it, cut in the leaf's text and marked", async (t) => {
  const sized = (bytes: number) => {
    const room = bytes - Buffer.byteLength(syslogMessage(eventWith({ details: emptyDetails }), speaker));
    const units = "\u0001".repeat(Math.floor(room / 6)) + "x".repeat(room % 6);
    const details = Object.keys(emptyDetails).map((key, at) => [key, units.slice(at * 256, at * 256 + 256)]);
    return eventWith({ details: Object.fromEntries(details) });
  };
  for (const bytes of [maxSyslogBytes - 1, maxSyslogBytes, maxSyslogBytes + 1]) {
    const event = sized(bytes);
    const message = syslogMessage(event, speaker);
    t.equal(Buffer.byteLength(message), Math.min(bytes, maxSyslogBytes));
    t.equal(parseSyslog(message).text === event.text, bytes <= maxSyslogBytes);
  }
  const escaped = { a: "\u0001".repeat(128), c: "x".repeat(200) };
  for (const id of ["\u6f22".repeat(400), "\u0001".repeat(400)]) {
    const event = eventWith({
      actor: { kind: "application", id },
      subject: { kind: "account", id },
      details: escaped,
    });
    for (const format of [syslogMessage, cefSyslogMessage]) {
      const message = format(event, { ...speaker, name: "n".repeat(300) });
      t.ok(Buffer.byteLength(message) <= maxSyslogBytes);
      t.notMatch(message, /\ufffd/);
      t.equal(parseSyslog(message).msgid, "credential.read");
    }
  }
  const long = eventWith({
    details: Object.fromEntries([..."abcdefghijkl"].map((key) => [key, "\u0001".repeat(85)])),
    subject: { kind: "account", id: "\u0001".repeat(150) },
  });
  const read = parseSyslog(syslogMessage(long, speaker));
  t.equal(Buffer.byteLength(syslogMessage(long, speaker)), maxSyslogBytes);
  t.equal(read.elements.get("tidegate@32473")?.get("truncated"), "true");
  t.ok(long.text.startsWith(read.text) && read.text.length < long.text.length);
  t.equal(read.elements.get("tidegate@32473")?.get("index"), "7", "what names the event stays whole");
});

t.test("a CEF value is as long as its key allows", async (t) => {
  const id = "x".repeat(400);
  const details = Object.fromEntries([..."abcde"].map((key) => [key, "y".repeat(250)]));
  const { extension } = parseCef(
    cefMessage(eventWith({ actor: { kind: "application", id }, details }), { ...speaker, name: "n".repeat(101) }),
  );
  t.equal(extension.get("dvchost")?.length, 100);
  t.equal(extension.get("suser")?.length, 400);
  t.equal(extension.get("msg")?.length, 1023);
  const half = parseCef(cefMessage(eventWith(), { ...speaker, name: `${"n".repeat(99)}\u{1f600}` }));
  t.equal(half.extension.get("dvchost"), "n".repeat(99), "never half a character");
});
