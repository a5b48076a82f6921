import { createHmac } from "node:crypto";
import fc from "fast-check";
import t from "tap";
import { encodeTcbor, sameBytes, type Tcbor, TidegateError } from "../../../protocol/base/index.ts";
import { type Entry, makeEntry } from "../../../protocol/bundle/index.ts";
import {
  type Content,
  type CredentialContent,
  contentLimits,
  decodeContent,
  decodeFact,
  encodeContent,
  encodeFact,
  entryType,
  type FactContent,
  factType,
  fieldValue,
  fingerprintOf,
  isFork,
  isPath,
  makeFields,
  parsePath,
  parsePattern,
  parseSegment,
  patternMatches,
  readContent,
  readFact,
  viewContent,
  wipeFields,
} from "../../../protocol/content/index.ts";

const id = (byte: number) => new Uint8Array(16).fill(byte);
const hash = (byte: number) => new Uint8Array(32).fill(byte);
const text = (value: string) => new TextEncoder().encode(value);
const at = (number: number, epoch = 1) => ({ epoch, number });

const device: Content = {
  kind: "device",
  name: "Main switch",
  zone: "line-4",
  model: "generic-snmpv3",
  host: "10.0.4.9",
  port: 161,
  settings: new Map([
    ["context", ""],
    ["unitId", "7"],
  ]),
};
const account: Content = {
  kind: "account",
  deviceId: id(1),
  path: "line-4/main-switch/admin",
  username: "admin",
  rotate: "interval",
  intervalS: 86_400,
  windowless: true,
  fingerprintKey: hash(2),
};
const credential: CredentialContent = {
  kind: "credential",
  accountId: id(2),
  index: at(4),
  role: "pool",
  fields: makeFields([
    ["privPassword", text("p")],
    ["authPassword", text("a")],
  ]),
  fingerprint: hash(3),
};
const application: Content = {
  kind: "application",
  name: "historian",
  tokenHash: hash(4),
  uid: null,
  grants: ["line-4/**", "line-5/*/reader"],
  disabled: false,
};
const contents: readonly Content[] = [
  device,
  account,
  { ...account, rotate: "never", intervalS: null, username: "" },
  credential,
  application,
  { ...application, tokenHash: null, uid: 1001, grants: [], disabled: true },
  { kind: "order", accountId: id(2), action: "rotate" },
  { kind: "tombstone", type: 3, id: id(2), upTo: at(9) },
  { kind: "conduit", nodeId: new Uint8Array(20).fill(5), name: "edge-1" },
  { kind: "certificate", chain: [text("own"), text("issuer")] },
  { kind: "model", name: "acme-valve", yaml: "name: acme-valve\nadapter: modbus\n" },
];
const facts: readonly FactContent[] = [
  { kind: "inert", type: 99, id: id(1), code: "CONTENT_UNKNOWN_TYPE" },
  {
    kind: "rotation",
    accountId: id(2),
    index: at(5),
    fingerprint: hash(3),
    state: "VERIFIED",
    outcome: null,
    at: { lo: 5, hi: null },
    leaf: { serial: 1, index: 77 },
  },
  { kind: "identity", deviceId: id(1), identity: "" },
  { kind: "order-outcome", orderId: id(3), outcome: "done", code: null },
  { kind: "alarm", code: "REVERTED", subject: "line-4/main-switch/admin", at: { lo: 5, hi: 9 } },
  { kind: "audit", size: 12, eventsSinceAnchor: 3 },
  { kind: "consumer-ack", accountId: id(2), index: at(5) },
];

/** An entry that says `content`; credentials and orders of the sample account unless it says otherwise. */
function entryOf(content: Content, entryId: Uint8Array, number = 1, window = content.kind === "order"): Entry {
  const authority = window ? { notBefore: 1, notAfter: 2 } : null;
  return makeEntry({ ...encodeContent(content), id: entryId, index: at(number), authority, salt: id(0) });
}

/** An entry of any type and payload. */
function rawEntry(type: number, payload: Uint8Array, entryId = id(9)): Entry {
  return makeEntry({ type, payload, id: entryId, index: at(1), authority: null, salt: id(0) });
}

t.test("every content and every fact decodes to what was encoded", async (t) => {
  for (const content of contents) {
    const { type, payload } = encodeContent(content);
    t.same(decodeContent(type, payload), content, content.kind);
  }
  for (const content of facts) t.same(decodeFact(encodeFact(content)), content, content.kind);
  t.same([...new Set(contents.map(({ kind }) => kind))].sort(), Object.keys(entryType).sort(), "all kinds are here");
  t.same(facts.map(({ kind }) => kind).sort(), Object.keys(factType).sort());
});

t.test("no truncation of a payload is read as anything", async (t) => {
  for (const content of contents) {
    const { type, payload } = encodeContent(content);
    for (let length = 0; length < payload.length; length += 1)
      if (!("inert" in readContent(rawEntry(type, payload.subarray(0, length))))) t.fail(`${content.kind} of ${length} bytes`);
  }
  for (const content of facts) {
    const { type, payload } = encodeFact(content);
    for (let length = 0; length < payload.length; length += 1)
      if (!("inert" in readFact({ type, payload: payload.subarray(0, length) }))) t.fail(`${content.kind} of ${length} bytes`);
  }
});

t.test(
  "whatever bytes an entry or a fact bears, reading it is a content or inert, and re-encodes to the same bytes",
  async () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(...contents).chain((content) => {
        const bytes = encodeContent(content).payload;
        return fc
          .tuple(fc.nat(bytes.length - 1), fc.nat(255))
          .map(([i, value]) => bytes.map((byte, n) => (n === i ? value : byte)));
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), payload, (type, bytes) => {
        readFact({ type, payload: bytes });
        const result = readContent(rawEntry(type, bytes));
        return "inert" in result || sameBytes(encodeContent(result.content).payload, bytes);
      }),
      { numRuns: 2000, seed: 4 },
    );
  },
);

t.test("what a content may not say is refused with CONTENT_MALFORMED, by the writer and by the reader", async (t) => {
  const long = (n: number) => "x".repeat(n);
  const settings = (n: number) =>
    new Map(Array.from({ length: n }, (_, i) => [`k${String(i).padStart(2, "0")}`, "v"] as const));
  const limits: [what: string, limit: number, make: (n: number) => Content][] = [
    ["name", contentLimits.nameBytes, (n) => ({ ...device, name: long(n) })],
    ["model name", contentLimits.nameBytes, (n) => ({ ...device, model: long(n) })],
    ["host", contentLimits.hostBytes, (n) => ({ ...device, host: long(n) })],
    ["port", 65_535, (n) => ({ ...device, port: n })],
    ["settings", contentLimits.settings, (n) => ({ ...device, settings: settings(n) })],
    ["setting name", contentLimits.settingNameBytes, (n) => ({ ...device, settings: new Map([[long(n), ""]]) })],
    ["setting value", contentLimits.settingValueBytes, (n) => ({ ...device, settings: new Map([["k", long(n)]]) })],
    ["zone", contentLimits.segmentBytes, (n) => ({ ...device, zone: long(n) })],
    ["username", contentLimits.usernameBytes, (n) => ({ ...account, username: long(n) })],
    ["interval", contentLimits.intervalS, (n) => ({ ...account, intervalS: n })],
    [
      "path segments",
      contentLimits.pathSegments,
      (n) => ({ ...account, path: Array.from({ length: n }, () => "a").join("/") }),
    ],
    ["grants", contentLimits.grants, (n) => ({ ...application, grants: Array.from({ length: n }, () => "a/**") })],
    ["chain", contentLimits.certificates, (n) => ({ kind: "certificate", chain: Array.from({ length: n }, () => id(1)) })],
    ["certificate", contentLimits.certificateBytes, (n) => ({ kind: "certificate", chain: [new Uint8Array(n)] })],
    ["model", contentLimits.modelBytes, (n) => ({ kind: "model", name: "m", yaml: long(n) })],
  ];
  for (const [what, limit, make] of limits) {
    t.doesNotThrow(() => encodeContent(make(limit - 1)), `${what} ${limit - 1}`);
    t.doesNotThrow(() => encodeContent(make(limit)), `${what} ${limit}`);
    t.throws(() => encodeContent(make(limit + 1)), { code: "CONTENT_MALFORMED" }, `${what} ${limit + 1}`);
  }
  const wrong: [what: string, content: Content][] = [
    ["an empty name", { ...device, name: "" }],
    ["a control character", { ...device, name: "a\u0007b" }],
    ["a lone surrogate", { ...account, username: "\ud800" }],
    ["a zone with a blank", { ...device, zone: "line 4" }],
    ["a setting's name", { ...device, settings: new Map([["1st", ""]]) }],
    ["an interval without the policy", { ...account, rotate: "on-demand" }],
    ["the policy without an interval", { ...account, intervalS: null }],
    ["an interval of zero", { ...account, intervalS: 0 }],
    ["a path with capitals", { ...account, path: "Line/a/b" }],
    ["a bad pattern", { ...application, grants: ["**/a"] }],
    ["no field", { ...credential, fields: [] }],
    ["fields out of order", { ...credential, fields: [...credential.fields].reverse() }],
    ["an empty chain", { kind: "certificate", chain: [] }],
    ["a short fingerprint", { ...credential, fingerprint: id(1) }],
  ];
  for (const [what, content] of wrong) t.throws(() => encodeContent(content), { code: "CONTENT_MALFORMED" }, what);
  const raw: [what: string, type: number, tuple: Tcbor][] = [
    ["a model that is not UTF-8", 8, ["m", Uint8Array.of(0xff)]],
    ["an unknown role", 3, [id(1), [1, 1], 3, [["a", id(1)]], hash(1)]],
    ["an unknown action", 5, [id(1), 2]],
    ["one item more", 5, [id(1), 1, 1]],
    ["a map", 5, new Map()],
    [
      "settings twice",
      1,
      [
        "n",
        "z",
        "m",
        "h",
        1,
        [
          ["a", "1"],
          ["a", "2"],
        ],
      ],
    ],
  ];
  for (const [what, type, tuple] of raw)
    t.throws(() => decodeContent(type, encodeTcbor(tuple)), { code: "CONTENT_MALFORMED" }, what);
  t.throws(() => decodeContent(899, encodeTcbor([])), { code: "CONTENT_UNKNOWN_TYPE" });
  t.throws(() => decodeFact({ type: 8, payload: encodeTcbor([]) }), { code: "CONTENT_UNKNOWN_TYPE" });
  t.throws(() => decodeFact({ type: 6, payload: encodeTcbor([1]) }), { code: "CONTENT_MALFORMED" });
});

t.test("one entry that cannot be used is inert, and the others work", async (t) => {
  const view = viewContent([
    entryOf(device, id(1)),
    rawEntry(99, Uint8Array.of(1)),
    rawEntry(2, Uint8Array.of(0xff), id(8)),
    entryOf(account, id(2)),
    entryOf(credential, id(20)),
    entryOf({ kind: "order", accountId: id(2), action: "verify" }, id(30), 1, false),
    entryOf({ ...credential, accountId: id(77) }, id(21)),
    entryOf({ kind: "order", accountId: id(77), action: "verify" }, id(31)),
  ]);
  t.same(
    view.inert.map(({ entry, code }) => [entry.type, code]),
    [
      [99, "CONTENT_UNKNOWN_TYPE"],
      [2, "CONTENT_MALFORMED"],
      [5, "CONTENT_MALFORMED"],
      [5, "CONTENT_DANGLING"],
      [3, "CONTENT_DANGLING"],
    ],
  );
  t.equal(view.devices.size, 1);
  t.equal(view.accounts.size, 1);
  t.same(
    [...view.credentials.values()].flat().map(({ content }) => content.index),
    [at(4)],
  );
  t.equal(view.orders.size, 0);
});

t.test("tombstones beat values up to their version, and the newest version comes first", async (t) => {
  const versions = [3, 5, 4].map((n) => entryOf({ ...credential, index: at(n), fingerprint: hash(n) }, id(20 + n), n));
  const newEpoch = entryOf({ ...credential, index: at(1, 2), fingerprint: hash(9) }, id(29));
  const numbers = (entries: Entry[]) =>
    [...viewContent(entries).credentials.values()].flat().map(({ content }) => [content.index.epoch, content.index.number]);
  const base = [entryOf(account, id(2), 3), ...versions];
  const tombstone = (type: number, target: Uint8Array, upTo: { epoch: number; number: number }, own = 60) =>
    entryOf({ kind: "tombstone", type, id: target, upTo }, id(own));
  t.same(numbers([...base, newEpoch]), [
    [2, 1],
    [1, 5],
    [1, 4],
    [1, 3],
  ]);
  t.same(numbers([...base, tombstone(3, id(2), at(3))]), [
    [1, 5],
    [1, 4],
  ]);
  t.same(numbers([...base, tombstone(3, id(2), at(4))]), [[1, 5]]);
  t.same(numbers([...base, tombstone(3, id(2), at(5))]), []);
  t.same(numbers([...base, newEpoch, tombstone(3, id(2), at(99))]), [[2, 1]]);
  t.same(numbers([...base, tombstone(3, id(2), at(4)), tombstone(3, id(2), at(3), 61)]), [[1, 5]], "the higher of two counts");
  t.same(
    numbers([...base, tombstone(3, id(3), at(9))]),
    [
      [1, 5],
      [1, 4],
      [1, 3],
    ],
    "another account's",
  );

  const gone = viewContent([
    ...base,
    tombstone(2, id(2), at(3)),
    entryOf({ kind: "order", accountId: id(2), action: "rotate" }, id(30)),
  ]);
  t.same([gone.accounts.size, gone.credentials.size, gone.orders.size, gone.inert.length], [0, 0, 0, 0]);
  t.equal(gone.buried.length, 5, "what hung on the account goes with it");
  t.equal(viewContent([...base, tombstone(2, id(2), at(2))]).accounts.size, 1, "a newer version of the account stays");
  const app = entryOf(application, id(40), 7);
  t.equal(viewContent([app, tombstone(4, id(40), at(7))]).applications.size, 0);
  t.equal(viewContent([app, tombstone(4, id(40), at(6))]).applications.size, 1);
  const self = viewContent([tombstone(3, id(2), at(4)), tombstone(6, id(60), at(9), 61)]);
  t.equal(self.tombstones.size, 2, "a tombstone is not ended by another");
});

t.test("two values of one version are a fork, and neither is used", async (t) => {
  const one = entryOf(credential, id(20));
  const other = entryOf({ ...credential, fingerprint: hash(8) }, id(21));
  const older = entryOf({ ...credential, index: at(3) }, id(22));
  const copy = entryOf({ ...credential, role: "current" }, id(23));
  const view = viewContent([entryOf(account, id(2)), one, other, older, copy]);
  t.same(
    view.inert.map(({ entry, code }) => [entry.id[0], code]),
    [
      [20, "CONTENT_VALUE_FORK"],
      [21, "CONTENT_VALUE_FORK"],
      [23, "CONTENT_VALUE_FORK"],
    ],
  );
  t.same(
    [...view.credentials.values()].flat().map(({ content }) => content.index),
    [at(3)],
  );
  t.ok(isFork(credential, { ...credential, fingerprint: hash(8) }));
  t.notOk(isFork(credential, { ...credential, index: at(5), fingerprint: hash(8) }));
  t.notOk(isFork(credential, { ...credential, accountId: id(3), fingerprint: hash(8) }));
});

t.test("a path has 1 to 5 segments of 1 to 63 characters", async (t) => {
  const segment = (n: number) => `a${"b".repeat(n - 1)}`;
  for (const path of ["a", "zone/device/account", "a/b/c/d/e", "0.x/y_z/1-2", segment(62), segment(63)]) {
    t.same(parsePath(path), path.split("/"));
    t.ok(isPath(path), path);
  }
  const wrong = [
    "",
    "/",
    "a/",
    "/a",
    "a//b",
    "A/b",
    "a b",
    "-a",
    ".a",
    "..",
    "a/../b",
    "a/b/c/d/e/f",
    segment(64),
    "ä",
    "a\n",
    "*",
  ];
  for (const path of wrong) {
    t.throws(() => parsePath(path), { code: "CONTENT_PATH_INVALID", fault: "operator" }, path);
    t.notOk(isPath(path), path);
  }
  t.throws(() => parseSegment("a/b"), { code: "CONTENT_PATH_INVALID" });
});

t.test("a pattern covers what it names, and nothing beside it", async (t) => {
  const cases: [pattern: string, covered: string[], not: string[]][] = [
    ["a/b/c", ["a/b/c"], ["a/b", "a/b/c/d", "a/b/d"]],
    ["a/*/c", ["a/b/c", "a/x.y/c"], ["a/c", "a/b/b/c", "b/b/c"]],
    ["*", ["a"], ["a/b"]],
    ["a/**", ["a/b", "a/b/c", "a/b/c/d/e"], ["a", "ab/c", "b/a"]],
    ["a/*/**", ["a/b/c", "a/b/c/d"], ["a/b", "a"]],
    ["**", ["a", "a/b/c/d/e"], []],
  ];
  for (const [pattern, covered, not] of cases) {
    const parsed = parsePattern(pattern);
    for (const path of covered) t.ok(patternMatches(parsed, parsePath(path)), `${pattern} covers ${path}`);
    for (const path of not) t.notOk(patternMatches(parsed, parsePath(path)), `${pattern} does not cover ${path}`);
  }
  for (const pattern of ["", "a/**/b", "**/**", "a*", "a/b*", "***", "a//b", "a/b/c/d/e/f", "A/**"])
    t.throws(() => parsePattern(pattern), { code: "CONTENT_PATTERN_INVALID", fault: "operator" }, pattern);
});

t.test("a credential has 1 to 8 named fields", async (t) => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => [`f${i}`, id(i)] as const);
  t.equal(makeFields(many(7)).length, 7);
  t.equal(makeFields(many(8)).length, 8);
  const refused: [what: string, fields: (readonly [string, Uint8Array])[]][] = [
    ["none", []],
    ["nine", many(9)],
    ["twice", [...many(1), ...many(1)]],
    ["a name with '-'", [["a-b", id(1)]]],
    ["a name of 33", [["a".repeat(33), id(1)]]],
    ["4,097 bytes", [["a", new Uint8Array(contentLimits.fieldBytes + 1)]]],
  ];
  for (const [what, fields] of refused) t.throws(() => makeFields(fields), { code: "CONTENT_FIELDS_INVALID" }, what);
  for (const bytes of [contentLimits.fieldBytes - 1, contentLimits.fieldBytes])
    t.equal(makeFields([["a".repeat(32), new Uint8Array(bytes)]])[0]?.value.length, bytes);
  const { fields } = credential;
  t.same(fieldValue(fields, "privPassword"), text("p"));
  t.equal(fieldValue(fields, "password"), null);
  const own = makeFields([["password", text("secret")]]);
  wipeFields(own);
  t.same(own[0]?.value, new Uint8Array(6));
  try {
    makeFields([["password!", text("hunter2")]]);
  } catch (error) {
    t.notMatch(error instanceof TidegateError ? error.message : "", /hunter2/);
  }
});

t.test("a fingerprint is an HMAC over the fields under the account's key", async (t) => {
  const key = hash(2);
  const due = createHmac("sha256", key)
    .update(
      encodeTcbor([
        ["authPassword", text("a")],
        ["privPassword", text("p")],
      ]),
    )
    .digest();
  t.ok(due.equals(fingerprintOf(key, credential.fields)));
  t.notOk(due.equals(fingerprintOf(hash(3), credential.fields)));
});
