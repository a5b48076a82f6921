import { createHmac } from "node:crypto";
import t from "tap";
import { encodeTcbor, TidegateError } from "../../../protocol/base/index.ts";
import {
  contentLimits,
  coveringPattern,
  fieldValue,
  fingerprintOf,
  isPath,
  makeFields,
  parsePath,
  parsePattern,
  parseSegment,
  patternMatches,
  wipeFields,
} from "../../../protocol/content/index.ts";

const id = (byte: number) => new Uint8Array(16).fill(byte);
const hash = (byte: number) => new Uint8Array(32).fill(byte);
const text = (value: string) => new TextEncoder().encode(value);
const twoFields = makeFields([
  ["privPassword", text("p")],
  ["authPassword", text("a")],
]);

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

t.test("a rule's pattern of a zone or a device covers everything below it, by whole segments", async (t) => {
  const cases: [typed: string, kept: string, covered: string[], not: string[]][] = [
    ["line-4", "line-4/**", ["line-4/meter-1/reader", "line-4/x/y"], ["line-40/meter-1/reader", "line/meter-1/reader"]],
    ["line-4/m", "line-4/m/**", ["line-4/m/reader"], ["line-4/m-1/reader", "line-5/m/reader"]],
    ["*", "*/**", ["line-4/m/reader"], []],
    ["line-4/*", "line-4/*/**", ["line-4/m/reader"], ["line-5/m/reader"]],
    ["*/m", "*/m/**", ["line-4/m/reader", "line-5/m/x"], ["line-4/m-1/reader"]],
    ["line-4/m/reader", "line-4/m/reader", ["line-4/m/reader"], ["line-4/m/reader-2"]],
    ["line-4/*/reader", "line-4/*/reader", ["line-4/m/reader"], ["line-4/m/writer"]],
    ["line-4/**", "line-4/**", ["line-4/m/reader"], ["line-40/m/reader"]],
    ["**", "**", ["line-4/m/reader"], []],
  ];
  for (const [typed, kept, covered, not] of cases) {
    t.equal(coveringPattern(typed), kept);
    t.equal(coveringPattern(kept), kept, "it stays");
    const parsed = parsePattern(kept);
    for (const path of covered) t.ok(patternMatches(parsed, parsePath(path)), `${typed} covers ${path}`);
    for (const path of not) t.notOk(patternMatches(parsed, parsePath(path)), `${typed} does not cover ${path}`);
  }
  const taken = cases.filter(([typed, , [path = ""]]) => patternMatches(parsePattern(typed), parsePath(path)));
  t.equal(taken.length, 4, "planted: patterns taken as they were typed cover nothing for a zone and a device");
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
  t.same(fieldValue(twoFields, "privPassword"), text("p"));
  t.equal(fieldValue(twoFields, "password"), null);
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
  t.ok(due.equals(fingerprintOf(key, twoFields)));
  t.notOk(due.equals(fingerprintOf(hash(3), twoFields)));
});
