import { randomBytes } from "node:crypto";
import t from "tap";
import { wipeFields } from "../../protocol/content/index.ts";
import { checkFields, generateFields, parseConstraints } from "../../vault/generation/index.ts";
import { blockBytes, maxDraws, maxFields, maxValueLength, minDistinctValues } from "../../vault/generation/limits.ts";
import { RandomBlock } from "../../vault/generation/random-block.ts";

const random = (length: number) => new Uint8Array(randomBytes(length));
const lower = "abcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";
const text = (more: object = {}) => ({ kind: "text", minLength: 8, maxLength: 16, alphabet: lower + digits, ...more });
const one = (constraints: unknown, source = random) =>
  Buffer.from(generateFields(parseConstraints(constraints), source)[0]?.value ?? []).toString();

t.test("every generated value meets its constraint", async (t) => {
  const cases: [string, unknown, (value: string) => boolean][] = [
    ["classes", text({ require: [digits, "xyz"] }), (v) => /[0-9]/.test(v) && /[xyz]/.test(v) && v.length === 16],
    ["the device's longest value below 128 bits", text({ maxLength: 9 }), (v) => v.length === 9],
    ["128 bits where more would fit", text({ maxLength: 200 }), (v) => v.length === 25],
    ["the device's shortest value above 128 bits", text({ minLength: 64, maxLength: 200 }), (v) => v.length === 64],
    ["no forbidden word in any case", text({ alphabet: "abcdABCD", forbiddenWords: ["aB", "dD"] }), (v) => !/ab|dd/i.test(v)],
    [
      "digits that are no default",
      { kind: "digits", minLength: 3, maxLength: 3, alphabet: digits, forbiddenWords: ["000", "1"] },
      (v) => /^[0-9]{3}$/.test(v) && v !== "000",
    ],
    ["digits", { kind: "digits", minLength: 4, maxLength: 6 }, (v) => /^[0-9]{6}$/.test(v)],
    ["numbers", { kind: "number", min: 1000, max: 9999 }, (v) => /^[1-9][0-9]{3}$/.test(v)],
    [
      "numbers beyond 32 bits",
      { kind: "number", min: 2 ** 40, max: 2 ** 52 },
      (v) => Number(v) >= 2 ** 40 && Number(v) <= 2 ** 52,
    ],
  ];
  for (const [title, field, holds] of cases)
    for (let i = 0; i < 50; i += 1) if (!holds(one({ password: field }))) t.fail(title);
  t.pass("all held");
});

t.test("several fields are drawn separately and come sorted by name", async (t) => {
  const fields = generateFields(parseConstraints({ privPassword: text(), authPassword: text() }), random);
  t.same(
    fields.map(({ name }) => name),
    ["authPassword", "privPassword"],
  );
  t.notSame(fields[0]?.value, fields[1]?.value);
});

/** Pearson's statistic of `draws` over `kinds` equally likely outcomes. */
function chiSquared(counts: ReadonlyMap<string, number>, kinds: number, draws: number): number {
  const expected = draws / kinds;
  let sum = (kinds - counts.size) * expected;
  for (const count of counts.values()) sum += (count - expected) ** 2 / expected;
  return sum;
}

/** A counter turned into bytes by a linear congruence: the test's verdict is the same in each run. */
function repeatable(seed: number) {
  let state = seed >>> 0;
  return (length: number) => {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      out[i] = (Math.imul(state ^ (state >>> 15), 2246822519) >>> 24) & 255;
    }
    return out;
  };
}

t.test("characters are uniform also where the alphabet does not divide 256 and classes are required", async (t) => {
  // 36 characters: byte % 36 would make the first four 14 % likelier, which the same statistic must catch.
  const alphabet = lower + digits;
  const source = repeatable(7);
  const fair = new Map<string, number>();
  const biased = new Map<string, number>();
  const count = (counts: Map<string, number>, char: string) => counts.set(char, (counts.get(char) ?? 0) + 1);
  const constraints = { password: text({ minLength: 25, maxLength: 25 }) };
  for (let i = 0; i < 2000; i += 1) for (const char of one(constraints, source)) count(fair, char);
  for (const byte of source(50_000)) count(biased, alphabet[byte % 36] ?? "");
  // 35 degrees of freedom: above 74.9 once in 10,000 runs.
  t.ok(chiSquared(fair, 36, 50_000) < 74.9, `fair ${chiSquared(fair, 36, 50_000)}`);
  t.ok(chiSquared(biased, 36, 50_000) > 74.9, `planted modulo bias ${chiSquared(biased, 36, 50_000)}`);
});

t.test("a required class makes no allowed value likelier than another", async (t) => {
  // Ten digits by two, at least one 0: of 19 values each is equally likely. Forcing a 0 into a place would double "00".
  const source = repeatable(11);
  const counts = new Map<string, number>();
  const constraints = { pin: { kind: "text", minLength: 3, maxLength: 3, alphabet: digits, require: ["0"] } };
  for (let i = 0; i < 27_100; i += 1) {
    const value = one(constraints, source);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  t.equal(counts.size, 271);
  // 270 degrees of freedom: above 365 once in 10,000 runs.
  t.ok(chiSquared(counts, 271, 27_100) < 365, String(chiSquared(counts, 271, 27_100)));
  t.ok((counts.get("000") ?? 0) < 200, "no forced class");
});

t.test("constraints that nothing can meet are refused by name", async (t) => {
  const cases: [string, object, string][] = [
    ["minLength above maxLength", text({ minLength: 17 }), "GENERATION_IMPOSSIBLE"],
    ["a class outside the alphabet", text({ require: ["%"] }), "GENERATION_IMPOSSIBLE"],
    ["more classes than characters", text({ minLength: 2, maxLength: 2, require: ["a", "b", "c"] }), "GENERATION_IMPOSSIBLE"],
    [
      "classes that leave almost nothing",
      text({ minLength: 4, maxLength: 4, require: ["a", "b", "c", "d"] }),
      "GENERATION_IMPOSSIBLE",
    ],
    ["too few texts", text({ alphabet: "ab", minLength: 1, maxLength: 9 }), "GENERATION_IMPOSSIBLE"],
    ["too few numbers", { kind: "number", min: 1, max: minDistinctValues - 1 }, "GENERATION_IMPOSSIBLE"],
    ["min above max", { kind: "number", min: 9, max: 1 }, "GENERATION_IMPOSSIBLE"],
    ["two-digit PINs", { kind: "digits", minLength: 1, maxLength: 2 }, "GENERATION_IMPOSSIBLE"],
    ["a character twice", text({ alphabet: "aab" }), "GENERATION_CONSTRAINTS_INVALID"],
    ["an unknown kind", { kind: "blob" }, "GENERATION_CONSTRAINTS_INVALID"],
    ["an unknown key", text({ maximumLength: 9 }), "GENERATION_CONSTRAINTS_INVALID"],
    ["a value longer than the limit", text({ maxLength: maxValueLength + 1 }), "GENERATION_CONSTRAINTS_INVALID"],
  ];
  for (const [title, field, code] of cases) t.throws(() => parseConstraints({ password: field }), { code }, title);
  t.doesNotThrow(() => parseConstraints({ password: text({ maxLength: maxValueLength }) }));
  t.doesNotThrow(() => parseConstraints({ password: { kind: "number", min: 1, max: minDistinctValues } }));
  const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, text()]));
  for (const count of [maxFields - 1, maxFields]) t.doesNotThrow(() => parseConstraints(fields(count)));
  for (const count of [0, maxFields + 1])
    t.throws(() => parseConstraints(fields(count)), { code: "GENERATION_CONSTRAINTS_INVALID" });
});

t.test("all problems of one set of constraints are reported together, each with its path", async (t) => {
  t.throws(() => parseConstraints({ password: text({ minLength: 0, alphabet: "" }), Pin: text() }), {
    message: /constraints\.password\.minLength.*constraints\.password\.alphabet.*constraints\.Pin/,
  });
});

t.test("drawing gives up after a bounded number of draws", async (t) => {
  const constraints = parseConstraints({ password: text({ alphabet: "abcdefgh", forbiddenWords: [..."abcdefgh"] }) });
  const counted = (length: number) => {
    drawn += length;
    return new Uint8Array(length);
  };
  let drawn = 0;
  t.throws(() => generateFields(constraints, counted), { code: "GENERATION_EXHAUSTED" });
  t.equal(drawn, maxDraws * 16);
  t.throws(() => generateFields(parseConstraints({ password: text() }), (n) => new Uint8Array(n).fill(255)), {
    code: "GENERATION_EXHAUSTED",
  });
});

t.test("random bytes are drawn in blocks, each is used once, and none is left behind", async (t) => {
  const blocks: Uint8Array[] = [];
  const source = repeatable(5);
  const kept = (length: number) => {
    const block = source(length);
    blocks.push(block);
    return block;
  };
  const [bytes, drawn] = [new RandomBlock(kept), Buffer.from(repeatable(5)(3 * blockBytes))];
  const first = Array.from({ length: 2 * blockBytes - 3 }, () => bytes.next(1));
  t.same(first, [...drawn.subarray(0, 2 * blockBytes - 3)], "in their order");
  t.equal(bytes.next(4), drawn.readUInt32BE(2 * blockBytes), "what is left of a block and too short is given up");
  t.equal(bytes.next(7), Number(drawn.readBigUInt64BE(2 * blockBytes + 3) & (2n ** 53n - 1n)), "53 bits");
  bytes.wipe();
  const constraints = parseConstraints({ password: text(), pin: { kind: "number", min: 2 ** 40, max: 2 ** 52 } });
  wipeFields(generateFields(constraints, kept));
  t.ok(blocks.length < 8, `${blocks.length} blocks`);
  t.ok(blocks.every((block) => block.every((byte) => byte === 0)));
});

t.test("fields given by an operator are checked together and never quoted", async (t) => {
  const constraints = parseConstraints({ password: text({ maxLength: 8 }), pin: { kind: "number", min: 0, max: 9999 } });
  const bytes = (value: string) => new Uint8Array(Buffer.from(value));
  t.doesNotThrow(() =>
    checkFields(constraints, [
      { name: "password", value: bytes("Weak!") },
      { name: "pin", value: bytes("7") },
    ]),
  );
  try {
    checkFields(constraints, [
      { name: "password", value: bytes("much-too-long") },
      { name: "other", value: bytes("x") },
    ]);
    t.fail("refused");
  } catch (error) {
    t.match(error, {
      code: "GENERATION_VALUE_REFUSED",
      message: /fields\.pin: missing.*fields\.password: expected text.*fields\.other/,
    });
    t.notMatch(String(error), /much-too-long/);
  }
  for (const pin of ["", "07", "-1", "10000", "1e3"]) {
    t.throws(
      () =>
        checkFields(constraints, [
          { name: "password", value: bytes("x") },
          { name: "pin", value: bytes(pin) },
        ]),
      { code: "GENERATION_VALUE_REFUSED" },
      pin,
    );
  }
});
