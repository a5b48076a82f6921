import { inspect } from "node:util";
import fc from "fast-check";
import t from "tap";
import {
  AssertionError,
  decodeTcbor,
  decodeTcborPrefix,
  encodeTcbor,
  fromBase32,
  fromHex,
  Secret,
  type Tcbor,
  toBase32,
  toHex,
} from "../../../protocol/base/index.ts";

function bytes(hex: string): Uint8Array {
  return fromHex(hex) ?? new Uint8Array();
}

t.test("values encode to the deterministic bytes of RFC 8949 appendix A", async (t) => {
  const cases: readonly (readonly [Tcbor, string])[] = [
    [0, "00"],
    [23, "17"],
    [24, "1818"],
    [255, "18ff"],
    [256, "190100"],
    [65535, "19ffff"],
    [65536, "1a00010000"],
    [4294967295, "1affffffff"],
    [4294967296, "1b0000000100000000"],
    [Number.MAX_SAFE_INTEGER, "1b001fffffffffffff"],
    [false, "f4"],
    [true, "f5"],
    [null, "f6"],
    [bytes("01020304"), "4401020304"],
    ["ü", "62c3bc"],
    [[], "80"],
    [[1, [2, 3]], "8201820203"],
    [
      new Map<number, Tcbor>([
        [3, 4],
        [1, 2],
      ]),
      "a201020304",
    ],
  ];
  for (const [value, hex] of cases) {
    t.equal(toHex(encodeTcbor(value)), hex);
    t.strictSame(decodeTcbor(bytes(hex)), value instanceof Map ? new Map([...value].sort((a, b) => a[0] - b[0])) : value);
  }
});

t.test("what is not TCBOR is refused", async (t) => {
  const cases: Readonly<Record<string, string>> = {
    "no bytes": "",
    "integer not shortest, 1 byte": "1817",
    "integer not shortest, 2 bytes": "1900ff",
    "integer not shortest, 4 bytes": "1a0000ffff",
    "integer not shortest, 8 bytes": "1b00000000ffffffff",
    "integer above 2^53 - 1": "1b0020000000000000",
    "length not shortest": "5801ff",
    "reserved length": "1c",
    "indefinite bytes": "5f4101ff",
    "indefinite array": "9f01ff",
    "negative integer": "20",
    tag: "c001",
    "half float": "f93c00",
    undefined: "f7",
    "simple value": "f0",
    "simple value in two bytes": "f818",
    "bytes end early": "4401",
    "array ends early": "8201",
    "array count beyond the input": "9affffffff",
    "map count beyond the input": "baffffffff",
    "map keys descending": "a202010101",
    "map keys equal": "a201010102",
    "map key text": "a1616101",
    "text not UTF-8": "61ff",
    "text with a surrogate": "63eda080",
    "text with a control character": "6107",
    "bytes after the value": "0000",
    "nested too deep": `${"81".repeat(9)}00`,
  };
  for (const [title, hex] of Object.entries(cases)) t.throws(() => decodeTcbor(bytes(hex)), { code: "TCBOR_MALFORMED" }, title);
  t.strictSame(encodeTcbor(decodeTcbor(bytes(`${"81".repeat(8)}00`))), bytes(`${"81".repeat(8)}00`), "eight levels pass");
});

t.test("whatever decodes re-encodes to the same bytes, and whatever encodes decodes to the same value", async (t) => {
  const leaf = fc.oneof(
    fc.maxSafeNat(),
    fc.uint8Array({ maxLength: 40 }),
    fc
      .string({ unit: "grapheme", maxLength: 20 })
      .filter((text) => text.isWellFormed() && [...text].every((char) => char >= " ")),
    fc.boolean(),
    fc.constant(null),
  );
  const { value } = fc.letrec<{ value: Tcbor }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", maxDepth: 6 },
      leaf as fc.Arbitrary<Tcbor>,
      fc.array(tie("value"), { maxLength: 5 }),
      fc
        .array(fc.tuple(fc.nat(300), tie("value")), { maxLength: 5 })
        .map((pairs) => new Map([...pairs].sort((a, b) => a[0] - b[0]))),
    ),
  }));
  fc.assert(
    fc.property(value, (v) => {
      t.strictSame(decodeTcbor(encodeTcbor(v)), v);
    }),
    { numRuns: 300, seed: 1 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), (raw) => {
      let decoded: Tcbor;
      try {
        decoded = decodeTcbor(raw);
      } catch {
        return;
      }
      t.strictSame(encodeTcbor(decoded), raw);
    }),
    { numRuns: 3000, seed: 2 },
  );
});

t.test("a value with something behind it tells its own length", async (t) => {
  t.strictSame(decodeTcborPrefix(bytes("8101ffff")), { value: [1], length: 2 });
});

t.test("a value outside TCBOR is our own bug", async (t) => {
  for (const value of [-1, 1.5, 2 ** 53, "a\nb", "\ud800"]) t.throws(() => encodeTcbor(value), AssertionError);
});

t.test("a secret prints nowhere and cannot be used once wiped", async (t) => {
  const secret = Secret.fromText("correct horse");
  const shown = [
    String(secret),
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ deep: [secret] }, { showHidden: true }),
    `${secret}`,
  ];
  for (const text of shown) t.notMatch(text, "horse");
  t.ok(secret.equals(Secret.fromText("correct horse")));
  t.notOk(secret.equals(Secret.fromText("correct horsf")));
  let lent: Uint8Array = new Uint8Array();
  secret.use((held) => {
    lent = held;
  });
  secret.wipe();
  secret.wipe();
  t.ok(lent.every((byte) => byte === 0));
  t.throws(() => secret.use(() => 0), AssertionError);
});

t.test("base32 is RFC 4648 in lower case, and only its canonical form is read", async (t) => {
  const cases = { "": "", f: "my", fo: "mzxq", foo: "mzxw6", foob: "mzxw6yq", fooba: "mzxw6ytb", foobar: "mzxw6ytboi" };
  for (const [text, encoded] of Object.entries(cases)) {
    t.equal(toBase32(Buffer.from(text)), encoded);
    t.strictSame(fromBase32(encoded.toUpperCase()), new Uint8Array(Buffer.from(text)));
  }
  for (const bad of ["m", "mz1", "mzxr", "mzxw6===", "my y"]) t.equal(fromBase32(bad), null, bad);
});

t.test("a value of few bytes cannot take all the memory: values are counted while they are read", (t) => {
  // An array of `count` empty arrays: one byte each, and a hundred once decoded.
  const empties = (count: number) => {
    const bytes = Buffer.alloc(5 + count, 0x80);
    bytes[0] = 0x9a;
    bytes.writeUInt32BE(count, 1);
    return bytes;
  };
  for (const count of [1_499_998, 1_499_999]) t.equal((decodeTcbor(empties(count)) as unknown[]).length, count);
  t.throws(() => decodeTcbor(empties(1_500_000)), { code: "TCBOR_MALFORMED", message: /too many values/ });
  t.end();
});
