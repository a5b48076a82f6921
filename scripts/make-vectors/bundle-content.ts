// Writes protocol/vectors/bundle-content.json: payloads of entries and facts, fingerprints, paths and patterns, SPEC.md section 12.
import { encodeTcbor, type Tcbor, utf8 } from "../../protocol/base/index.ts";
import {
  type Content,
  encodeContent,
  encodeFact,
  type FactContent,
  fingerprintOf,
  makeFields,
} from "../../protocol/content/index.ts";
import { variants, writeVectors } from "./write-vectors.ts";

const id = (byte: number) => new Uint8Array(16).fill(byte);
const digest = (byte: number) => new Uint8Array(32).fill(byte);
const index = { epoch: 1, number: 4 };
const fingerprintKey = digest(2);
const fields = makeFields([
  ["privPassword", utf8("second of them")],
  ["authPassword", utf8("first of them")],
]);
const password = makeFields([["password", new Uint8Array([0, 255, 10])]]);

const contents: readonly Content[] = [
  {
    kind: "device",
    name: "Main switch",
    zone: "line-4",
    model: "generic-snmpv3",
    host: "10.0.4.9",
    port: 161,
    settings: new Map([["unitId", "7"]]),
    timeZone: "Europe/Berlin",
    windows: [
      { days: 31, startMinute: 1320, minutes: 360 },
      { days: 96, startMinute: 0, minutes: 1440 },
    ],
    held: false,
  },
  {
    kind: "account",
    deviceId: id(1),
    path: "line-4/main-switch/admin",
    username: "admin",
    rotate: "interval",
    intervalS: 86_400,
    windowless: false,
    fingerprintKey,
    breakGlass: false,
    group: null,
    reconcileBy: id(7),
    rotateOn: 2,
    consumersReady: true,
  },
  { kind: "credential", accountId: id(2), index, role: "pool", fields, fingerprint: fingerprintOf(fingerprintKey, fields) },
  {
    kind: "application",
    name: "historian",
    tokenHash: digest(4),
    uid: null,
    grants: ["line-4/**"],
    disabled: false,
    person: false,
  },
  { kind: "order", accountId: id(2), action: "rotate", cause: "operator", now: false },
  { kind: "tombstone", type: 3, id: id(2), upTo: index },
  { kind: "conduit", nodeId: new Uint8Array(20).fill(5), name: "edge-1" },
  { kind: "model", name: "acme-valve", yaml: "name: acme-valve\nadapter: modbus\n" },
  { kind: "certificate", chain: [utf8("DER of the node's own"), utf8("DER of its issuer")] },
  { kind: "lease", applicationId: id(4), pattern: "line-4/main-switch/*" },
  { kind: "freshness", pattern: "line-4/**", staleAfterS: 86_400, whenStale: "warn", ttlS: 604_800, memoryOnly: true },
];
const facts: readonly FactContent[] = [
  { kind: "inert", type: 99, id: id(1), code: "CONTENT_UNKNOWN_TYPE" },
  {
    kind: "rotation",
    accountId: id(2),
    index,
    fingerprint: digest(3),
    state: "VERIFIED",
    outcome: null,
    at: { lo: 5, hi: null },
    leaf: { serial: 1, index: 77 },
  },
  { kind: "identity", deviceId: id(1), identity: "EN-4 rev. 2" },
  { kind: "order-outcome", orderId: id(3), outcome: "done", code: null },
  { kind: "alarm", code: "REVERTED", subject: "line-4/main-switch/admin", at: { lo: 5, hi: 9 } },
  { kind: "audit", size: 12, eventsSinceAnchor: 3 },
  { kind: "consumer-ack", accountId: id(2), index },
  { kind: "person-read", accountId: id(2), index, applicationId: id(4) },
  { kind: "alarm-end", code: "AUDIT_SPACE_LOW", subject: "the disk of the data folder", at: { lo: 5, hi: null } },
];

const window = [127, 0, 1];
const target = (changes: Readonly<Record<number, Tcbor>>): Tcbor =>
  ["n", "z", "m", "h", 1, [], "UTC", [], false].map((item, i) => changes[i] ?? item);
const login = (changes: Readonly<Record<number, Tcbor>>): Tcbor =>
  [id(1), "a/b/c", "u", 0, null, true, digest(2), false, null, null, 0, true].map((item, i) => changes[i] ?? item);
const pair = (name: string): Tcbor => [name, ""];

const malformed: readonly [name: string, type: number, tuple: Tcbor][] = [
  ["device: zone that is no segment", 1, target({ 1: "Line 4" })],
  ["device: port 65,536", 1, target({ 4: 65_536 })],
  ["device: setting twice", 1, target({ 5: [pair("a"), pair("a")] })],
  ["device: settings out of order", 1, target({ 5: [pair("b"), pair("a")] })],
  ["device: time zone with a blank", 1, target({ 6: "Europe/New Berlin" })],
  ["device: 33 windows", 1, target({ 7: Array.from({ length: 33 }, () => window) })],
  ["device: window on no day", 1, target({ 7: [[0, 0, 1]] })],
  ["device: window on an eighth day", 1, target({ 7: [[128, 0, 1]] })],
  ["device: window that starts at 24:00", 1, target({ 7: [[1, 1440, 1]] })],
  ["device: window of no minute", 1, target({ 7: [[1, 0, 0]] })],
  ["device: window longer than a week", 1, target({ 7: [[1, 0, 10_081]] })],
  ["account: rotate 3", 2, login({ 3: 3 })],
  ["account: by interval without one", 2, login({ 3: 2 })],
  ["account: on demand with an interval", 2, login({ 3: 1, 4: 60 })],
  ["account: path with six segments", 2, login({ 1: "a/b/c/d/e/f" })],
  ["account: group of 32 bytes", 2, login({ 8: digest(1) })],
  ["account: rotate on 4", 2, login({ 10: 4 })],
  ["freshness: stale after no time", 11, ["a/**", 0, 0, null, false]],
  ["freshness: stale after more than ten years", 11, ["a/**", 315_360_001, 0, null, false]],
  ["freshness: when stale 3", 11, ["a/**", null, 3, null, false]],
  ["freshness: ttl of no time", 11, ["a/**", null, 2, 0, false]],
  ["freshness: memory only not a bool", 11, ["a/**", null, 2, null, 1]],
  ["credential: role 3", 3, [id(2), [1, 4], 3, [["a", id(1)]], digest(3)]],
  ["credential: no field", 3, [id(2), [1, 4], 0, [], digest(3)]],
  ["credential: nine fields", 3, [id(2), [1, 4], 0, Array.from({ length: 9 }, (_, i) => [`f${i}`, id(1)]), digest(3)]],
  [
    "credential: fields out of order",
    3,
    [
      id(2),
      [1, 4],
      0,
      [
        ["b", id(1)],
        ["a", id(1)],
      ],
      digest(3),
    ],
  ],
  ["credential: field name with '-'", 3, [id(2), [1, 4], 0, [["a-b", id(1)]], digest(3)]],
  ["credential: field of 4,097 bytes", 3, [id(2), [1, 4], 0, [["a", new Uint8Array(4097)]], digest(3)]],
  ["application: '**' in the middle", 4, ["n", null, null, ["a/**/b"], false, false]],
  ["order: action 3", 5, [id(2), 3, 0, false]],
  ["order: cause 7", 5, [id(2), 1, 7, false]],
  ["tombstone: type 65,536", 6, [65_536, id(2), [1, 4]]],
  ["conduit: node id of 16 bytes", 7, [id(1), "edge-1"]],
  ["model: not UTF-8", 8, ["n", Uint8Array.of(0xff)]],
  ["certificate: empty chain", 9, [[]]],
  ["an item too many", 5, [id(2), 1, 0, false, 1]],
  ["no array", 5, null],
];

const entryCases = variants({ kind: "entry content", expect: "ok" }, [
  ...contents.map((content) => ({ name: content.kind, ...encodeContent(content) })),
  {
    name: "a name with U+007F, U+0085 and U+009F",
    ...encodeContent({ kind: "conduit", nodeId: new Uint8Array(20).fill(5), name: "edge\u007f\u0085\u009f" }),
  },
  ...malformed.map(([name, type, tuple]) => ({ name, type, payload: encodeTcbor(tuple), expect: "CONTENT_MALFORMED" })),
  { name: "payload that is not TCBOR", type: 5, payload: Uint8Array.of(0xff), expect: "CONTENT_MALFORMED" },
  { name: "entry type 0", type: 0, payload: encodeTcbor([]), expect: "CONTENT_UNKNOWN_TYPE" },
  { name: "entry type 65,535", type: 65_535, payload: encodeTcbor([]), expect: "CONTENT_UNKNOWN_TYPE" },
]);
const factCases = variants({ kind: "fact content", expect: "ok" }, [
  ...facts.map((content) => ({ name: `fact ${content.kind}`, ...encodeFact(content) })),
  { name: "fact with an empty word", type: 4, payload: encodeTcbor([id(3), "", null]), expect: "CONTENT_MALFORMED" },
  {
    name: "fact whose time ends before it begins",
    type: 5,
    payload: encodeTcbor(["C", "", [9, 5]]),
    expect: "CONTENT_MALFORMED",
  },
  { name: "fact type 65,535", type: 65_535, payload: encodeTcbor([]), expect: "CONTENT_UNKNOWN_TYPE" },
]);
const fingerprints = [
  ["fingerprint of two fields", fields],
  ["fingerprint of one field", password],
].map(([name, of]) => ({
  name: name as string,
  kind: "fingerprint",
  expect: "ok",
  key: fingerprintKey,
  fields: (of as typeof fields).map((field) => [field.name, field.value]),
  fingerprint: fingerprintOf(fingerprintKey, of as typeof fields),
}));

const covers: readonly [pattern: string, path: string, covered: boolean][] = [
  ["a/b/c", "a/b/c", true],
  ["a/b/c", "a/b", false],
  ["a/*/c", "a/b/c", true],
  ["a/*/c", "a/b/b/c", false],
  ["a/**", "a/b", true],
  ["a/**", "a/b/c/d/e", true],
  ["a/**", "a", false],
  ["a/**", "ab/c", false],
  ["a/*/**", "a/b", false],
  ["**", "a", true],
];
const patternCases = [
  ...covers.map(([pattern, path, covered]) => ({
    name: `${pattern} and ${path}`,
    kind: "pattern",
    expect: "ok",
    pattern,
    path,
    covered,
  })),
  ...["a/**/b", "a*", "", "a//b"].map((pattern) => ({
    name: `pattern '${pattern}'`,
    kind: "pattern",
    expect: "CONTENT_PATTERN_INVALID",
    pattern,
    path: "a",
    covered: false,
  })),
  ...["", "A", "a/", ".a", "a/b/c/d/e/f", "a".repeat(64)].map((path) => ({
    name: `path '${path}'`,
    kind: "pattern",
    expect: "CONTENT_PATH_INVALID",
    pattern: "**",
    path,
    covered: false,
  })),
  { name: "a segment of 63", kind: "pattern", expect: "ok", pattern: "**", path: "a".repeat(63), covered: true },
];

writeVectors("bundle-content", {
  area: "bundle",
  about: "SPEC.md section 12. A payload that is accepted encodes to the same bytes again.",
  cases: [...entryCases, ...factCases, ...fingerprints, ...patternCases],
});
