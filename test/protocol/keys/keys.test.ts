import { inspect } from "node:util";
import t from "tap";
import { toHex } from "../../../protocol/base/index.ts";
import {
  agreementKeyFromSeed,
  importSealingPublicKey,
  importVerifyKey,
  nodeIdText,
  sealingKeyFromSeed,
  signingKeyFromSeed,
  smallOrderEncodings,
} from "../../../protocol/keys/index.ts";

const seed = new Uint8Array(32).fill(0x5a);
const p = 2n ** 255n - 19n;
const mod = (x: bigint) => ((x % p) + p) % p;

function power(base: bigint, exponent: bigint): bigint {
  let out = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) if (e & 1n) out = mod(out * b);
  return out;
}

const d = mod(-121665n * power(121666n, p - 2n));
const rootOfMinusOne = power(2n, (p - 1n) / 4n);

/** x of a point of -x² + y² = 1 + d·x²·y² with this y, or null. */
function xOf(y: bigint): bigint | null {
  const square = mod((y * y - 1n) * power(d * y * y + 1n, p - 2n));
  const candidate = power(square, (p + 3n) / 8n);
  for (const x of [candidate, mod(candidate * rootOfMinusOne)]) if (mod(x * x) === square) return x;
  return null;
}

/** Adds a point to itself. */
function double([x, y]: readonly [bigint, bigint]): [bigint, bigint] {
  const product = mod(d * x * x * y * y);
  return [mod(2n * x * y * power(1n + product, p - 2n)), mod((y * y + x * x) * power(1n - product, p - 2n))];
}

function encoding(y: bigint, sign: 0 | 1): string {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => Number((y >> BigInt(8 * i)) & 0xffn));
  bytes[31] = (bytes[31] ?? 0) | (sign << 7);
  return toHex(bytes);
}

t.test("the fourteen refused encodings are exactly those of points whose eightfold is the neutral point", async (t) => {
  // Every y of a small-order point: those of the list's canonical half, and every number that is written above p.
  const ys = new Set([...Array(19).keys()].flatMap((k) => [BigInt(k), p + BigInt(k)]));
  ys.add(p - 1n);
  for (const text of smallOrderEncodings) {
    const bytes = Buffer.from(text, "hex").reverse();
    bytes[0] = (bytes[0] ?? 0) & 0x7f;
    ys.add(BigInt(`0x${bytes.toString("hex")}`));
  }
  const found: string[] = [];
  for (const y of ys) {
    const x = xOf(mod(y));
    if (x === null) continue;
    const [eightX, eightY] = double(double(double([x, mod(y)])));
    if (eightX === 0n && eightY === 1n) found.push(encoding(y, 0), encoding(y, 1));
  }
  t.same(found.sort(), [...smallOrderEncodings].sort());
  t.equal(found.length, 14);
  // A point of order 8 halves to order 4 and so on; the orders sum up to the eight points of the group.
  const points = new Set(
    found.map((text) => `${mod(BigInt(`0x${Buffer.from(text, "hex").reverse().toString("hex")}`) % 2n ** 255n)}`),
  );
  t.equal(points.size, 5, "y = 1, -1, 0 and the two of order 8");
});

t.test("an Ed25519 key is taken or refused by its encoding", async (t) => {
  const cases: [string, string, string | null][] = [
    ["y = p - 1 is -1", encoding(p - 1n, 0), "KEY_WEAK"],
    ["y = p", encoding(p, 0), "KEY_WEAK"],
    ["y = p + 1", encoding(p + 1n, 0), "KEY_WEAK"],
    ["y = p - 2, the highest that may be", encoding(p - 2n, 0), null],
    ["y = p - 2 with the sign bit", encoding(p - 2n, 1), null],
    ["y = 2", encoding(2n, 0), null],
  ];
  for (const [name, text, code] of cases) {
    const take = () => importVerifyKey(Buffer.from(text, "hex"));
    if (code === null) t.doesNotThrow(take, name);
    else t.throws(take, { code }, name);
  }
  for (const length of [0, 31, 33]) t.throws(() => importVerifyKey(new Uint8Array(length).fill(2)), { code: "KEY_MALFORMED" });
});

t.test("a signature verifies under its own key and message only", async (t) => {
  const key = signingKeyFromSeed(seed);
  const message = Uint8Array.of(1, 2, 3);
  const signature = key.sign(message);
  const verify = importVerifyKey(key.publicKey);
  t.ok(verify.verify(message, signature));
  t.same(verify.keyId, key.keyId);
  t.notOk(verify.verify(Uint8Array.of(1, 2), signature));
  t.notOk(verify.verify(message, signature.subarray(1)), "a signature of 63 bytes");
  t.notOk(importVerifyKey(signingKeyFromSeed(new Uint8Array(32)).publicKey).verify(message, signature));
  t.equal(nodeIdText(key.keyId).length, 32);
});

t.test("two X25519 keys agree, and small order is refused", async (t) => {
  const a = agreementKeyFromSeed(seed);
  const b = agreementKeyFromSeed(new Uint8Array(32).fill(7));
  t.same(a.agree(b.publicKey), b.agree(a.publicKey));
  // The u coordinates of small order, RFC 7748 section 6.1 and the list of the curve's author.
  const weak = [
    `00${"00".repeat(31)}`,
    `01${"00".repeat(31)}`,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    `ec${"ff".repeat(30)}7f`,
    `ed${"ff".repeat(30)}7f`,
    `ee${"ff".repeat(30)}7f`,
  ];
  for (const text of weak) {
    const u = Buffer.from(text, "hex");
    t.throws(() => a.agree(u), { code: "KEY_WEAK" }, text);
    const sealing = sealingKeyFromSeed(seed).publicKey.slice();
    sealing.set(u, 1184);
    t.throws(() => importSealingPublicKey(sealing), { code: "KEY_WEAK" }, `X-Wing with ${text}`);
  }
  t.throws(() => a.agree(new Uint8Array(31)), { code: "KEY_MALFORMED" });
});

t.test("X-Wing carries a secret to its own key only", async (t) => {
  const key = sealingKeyFromSeed(seed);
  const { secret, ciphertext } = importSealingPublicKey(key.publicKey).encapsulate();
  t.equal(ciphertext.length, 1120);
  t.same(key.decapsulate(ciphertext), secret);
  t.strictNotSame(sealingKeyFromSeed(new Uint8Array(32)).decapsulate(ciphertext), secret);
  const changed = ciphertext.slice();
  changed[0] = (changed[0] ?? 0) ^ 1;
  t.strictNotSame(key.decapsulate(changed), secret, "ML-KEM answers a changed ciphertext with another secret");
  for (const length of [1119, 1121]) t.throws(() => key.decapsulate(new Uint8Array(length)), { code: "KEY_MALFORMED" });
});

t.test("an ML-KEM coefficient of 3329 is refused and 3328 is taken", async (t) => {
  const raw = sealingKeyFromSeed(seed).publicKey.slice();
  const withFirst = (value: number) => {
    raw[0] = value & 0xff;
    raw[1] = ((raw[1] ?? 0) & 0xf0) | (value >> 8);
    return () => importSealingPublicKey(raw);
  };
  t.doesNotThrow(withFirst(3328));
  t.throws(withFirst(3329), { code: "KEY_MALFORMED" });
});

t.test("a private key prints nothing but its public half", async (t) => {
  for (const key of [signingKeyFromSeed(seed), sealingKeyFromSeed(seed), agreementKeyFromSeed(seed)]) {
    const printed = `${inspect(key, { showHidden: true, depth: 9 })}${JSON.stringify(key)}`;
    t.notMatch(printed, /5a5a5a5a|90, ?90, ?90|KeyObject/);
  }
});
