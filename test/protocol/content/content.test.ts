import fc from "fast-check";
import t from "tap";
import { encodeTcbor, sameBytes, type Tcbor } from "../../../protocol/base/index.ts";
import {
  type Content,
  contentLimits,
  decodeContent,
  decodeFact,
  encodeContent,
  encodeFact,
  entryType,
  factType,
  readContent,
  readFact,
} from "../../../protocol/content/index.ts";

import { account, application, contents, credential, device, facts, hash, id, rawEntry } from "./samples.ts";

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
  const window = { days: 1, startMinute: 0, minutes: 1 };
  const limits: [what: string, limit: number, make: (n: number) => Content][] = [
    ["name", contentLimits.nameBytes, (n) => ({ ...device, name: long(n) })],
    ["model name", contentLimits.nameBytes, (n) => ({ ...device, model: long(n) })],
    ["host", contentLimits.hostBytes, (n) => ({ ...device, host: long(n) })],
    ["port", 65_535, (n) => ({ ...device, port: n })],
    ["settings", contentLimits.settings, (n) => ({ ...device, settings: settings(n) })],
    ["setting name", contentLimits.settingNameBytes, (n) => ({ ...device, settings: new Map([[long(n), ""]]) })],
    ["setting value", contentLimits.settingValueBytes, (n) => ({ ...device, settings: new Map([["k", long(n)]]) })],
    ["windows", contentLimits.windows, (n) => ({ ...device, windows: Array.from({ length: n }, () => window) })],
    ["window days", 127, (n) => ({ ...device, windows: [{ ...window, days: n }] })],
    ["window start", 1_439, (n) => ({ ...device, windows: [{ ...window, startMinute: n }] })],
    ["window minutes", 10_080, (n) => ({ ...device, windows: [{ ...window, minutes: n }] })],
    ["time zone", contentLimits.timeZoneBytes, (n) => ({ ...device, timeZone: long(n) })],
    ["events", 3, (n) => ({ ...account, rotateOn: n })],
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
    ["a window on no day", { ...device, windows: [{ ...window, days: 0 }] }],
    ["a window without a minute", { ...device, windows: [{ ...window, minutes: 0 }] }],
    ["a time zone with a blank", { ...device, timeZone: "Europe/New Berlin" }],
    ["no time zone", { ...device, timeZone: "" }],
    ["a short group", { ...account, group: hash(1) }],
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
    ["an unknown action", 5, [id(1), 3, 0, false]],
    ["an unknown cause", 5, [id(1), 1, 7, false]],
    ["one item more", 5, [id(1), 1, 0, false, 1]],
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
        "UTC",
        [],
        false,
      ],
    ],
  ];
  for (const [what, type, tuple] of raw)
    t.throws(() => decodeContent(type, encodeTcbor(tuple)), { code: "CONTENT_MALFORMED" }, what);
  t.throws(() => decodeContent(899, encodeTcbor([])), { code: "CONTENT_UNKNOWN_TYPE" });
  t.throws(() => decodeFact({ type: 899, payload: encodeTcbor([]) }), { code: "CONTENT_UNKNOWN_TYPE" });
  t.throws(() => decodeFact({ type: 6, payload: encodeTcbor([1]) }), { code: "CONTENT_MALFORMED" });
});
