import t from "tap";
import { TidegateError } from "../../../protocol/base/index.ts";
import { openBody, openEscrow, type Sealed, sealBody, sealEscrow } from "../../../protocol/seal/index.ts";
import { sampleRecipient, sampleSealer } from "../sample-vault.ts";

const key = sampleSealer(1);
const recipient = sampleRecipient(1);
const context = new Uint8Array(40).fill(3);
const plaintext = new Uint8Array(100).fill(4);

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const out = bytes.slice();
  out[bit >> 3] = (out[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return out;
}

/** The code that opening ends with, or "opened". */
function outcome(sealed: Sealed, inContext: Uint8Array = context): string {
  try {
    openBody({ ...sealed, context: inContext, key });
    return "opened";
  } catch (error) {
    if (error instanceof TidegateError) return error.code;
    throw error;
  }
}

t.test("what is sealed opens again, at every edge of padding and chunks", async (t) => {
  for (const length of [0, 1, 255, 256, 257, 65_279, 65_280, 65_535, 65_536, 131_071, 131_072]) {
    const content = Uint8Array.from({ length }, (_, index) => index % 253);
    const sealed = sealBody({ context, recipient, plaintext: content });
    const padded = (Math.floor(length / 256) + 1) * 256;
    t.equal(sealed.ciphertext.length, padded + 16 * Math.ceil(padded / 65_536), `${length} bytes`);
    t.ok(Buffer.from(openBody({ ...sealed, context, key })).equals(content), `${length} bytes open`);
  }
});

t.test("two seals of one plaintext share nothing", async (t) => {
  const [a, b] = [1, 2].map(() => sealBody({ context, recipient, plaintext }));
  t.strictNotSame(a?.encapsulated, b?.encapsulated);
  t.strictNotSame(a?.commitment, b?.commitment);
  t.strictNotSame(a?.ciphertext, b?.ciphertext);
});

t.test(
  "every flipped bit of ciphertext, commitment and context, and one of each byte of the KEM ciphertext, fails alike",
  async (t) => {
    const sealed = sealBody({ context, recipient, plaintext });
    const bad: string[] = [];
    const expectFailed = (what: string, result: string) => {
      if (result !== "SEAL_OPEN_FAILED") bad.push(`${what}: ${result}`);
    };
    for (let bit = 0; bit < sealed.ciphertext.length * 8; bit += 1) {
      expectFailed(`ciphertext ${bit}`, outcome({ ...sealed, ciphertext: flip(sealed.ciphertext, bit) }));
    }
    for (let bit = 0; bit < 256; bit += 1) {
      expectFailed(`commitment ${bit}`, outcome({ ...sealed, commitment: flip(sealed.commitment, bit) }));
    }
    for (let bit = 0; bit < context.length * 8; bit += 1) expectFailed(`context ${bit}`, outcome(sealed, flip(context, bit)));
    for (let byte = 0; byte < 1120; byte += 1) {
      const encapsulated = flip(sealed.encapsulated, byte * 8 + (byte % 8));
      expectFailed(`encapsulated ${byte}`, outcome({ ...sealed, encapsulated }));
    }
    t.same(bad, []);
    t.equal(outcome(sealed), "opened");
  },
);

t.test("every truncation of the ciphertext, and chunks out of place, fail alike", async (t) => {
  const sealed = sealBody({ context, recipient, plaintext });
  const lengths = [...Array(sealed.ciphertext.length).keys()];
  const opened = lengths.filter(
    (length) => outcome({ ...sealed, ciphertext: sealed.ciphertext.subarray(0, length) }) !== "SEAL_OPEN_FAILED",
  );
  t.same(opened, []);
  const long = sealBody({ context, recipient, plaintext: new Uint8Array(150_000) });
  const stride = 65_552;
  const chunk = (index: number) => long.ciphertext.subarray(index * stride, (index + 1) * stride);
  const orders: [string, number[]][] = [
    ["first two swapped", [1, 0, 2]],
    ["one missing in the middle", [0, 2]],
    ["last missing", [0, 1]],
    ["one twice", [0, 1, 1, 2]],
    ["the last one first", [2, 0, 1]],
  ];
  for (const [name, order] of orders) {
    const ciphertext = new Uint8Array(Buffer.concat(order.map(chunk)));
    t.equal(outcome({ ...long, ciphertext }), "SEAL_OPEN_FAILED", name);
  }
  t.equal(outcome(long), "opened");
});

t.test("another key, label or KEM length does not open", async (t) => {
  const sealed = sealBody({ context, recipient, plaintext });
  const failed = { code: "SEAL_OPEN_FAILED" };
  t.throws(() => openBody({ ...sealed, context, key: sampleSealer(2) }), failed);
  t.throws(() => openBody({ ...sealed, context, key, label: "escrow" }), failed);
  t.throws(() => openBody({ ...sealed, encapsulated: sealed.encapsulated.subarray(1), context, key }), failed);
  const small = sealed.encapsulated.slice().fill(0, 1088);
  t.throws(() => openBody({ ...sealed, encapsulated: small, context, key }), failed, "an X25519 half of small order");
});

t.test("a body is sealed up to its limit", async (t) => {
  const limit = 64 * 1024 * 1024;
  // The longest padded plaintext whose 1,024 chunks and tags fit: 256 bytes of padding at most, 16 bytes a chunk.
  const longest = Math.floor((limit - 1024 * 16) / 256) * 256 - 1;
  const content = new Uint8Array(longest + 1);
  t.throws(() => sealBody({ context, recipient, plaintext: content }), { code: "SEAL_TOO_LARGE" });
  const sealed = sealBody({ context, recipient, plaintext: content.subarray(0, longest) });
  t.ok(sealed.ciphertext.length <= limit && sealed.ciphertext.length > limit - 256);
  t.equal(outcome({ ...sealed, ciphertext: new Uint8Array(limit + 1) }), "SEAL_OPEN_FAILED");
});

t.test("escrow opens for its own vault, node, report and recovery key", async (t) => {
  const own = { vaultId: new Uint8Array(32).fill(1), nodeId: new Uint8Array(20).fill(2), reportContext: context };
  const blob = sealEscrow({ ...own, recipient, plaintext });
  t.same(openEscrow({ ...own, key, blob }), plaintext);
  const bad: number[] = [];
  for (let bit = 0; bit < blob.length * 8; bit += 5) {
    try {
      openEscrow({ ...own, key, blob: flip(blob, bit) });
      bad.push(bit);
    } catch (error) {
      if (!(error instanceof TidegateError && error.code === "SEAL_OPEN_FAILED")) throw error;
    }
  }
  t.same(bad, []);
  const failed = { code: "SEAL_OPEN_FAILED" };
  t.throws(() => openEscrow({ ...own, vaultId: new Uint8Array(32), key, blob }), failed);
  t.throws(() => openEscrow({ ...own, nodeId: new Uint8Array(20), key, blob }), failed);
  t.throws(() => openEscrow({ ...own, reportContext: plaintext, key, blob }), failed);
  t.throws(() => openEscrow({ ...own, key: sampleSealer(2), blob }), failed);
});

t.test("an escrow blob is limited", async (t) => {
  const own = { vaultId: new Uint8Array(32), nodeId: new Uint8Array(20), reportContext: context };
  const limit = 16 * 1024 * 1024;
  // Around the ciphertext stand 1,120 + 32 bytes, their heads, and 16 bytes a chunk.
  const longest = Math.floor((limit - 256 * 16 - 1165) / 256) * 256 - 1;
  const content = new Uint8Array(longest + 1);
  const blob = sealEscrow({ ...own, recipient, plaintext: content.subarray(0, longest) });
  t.ok(blob.length <= limit && blob.length > limit - 512);
  t.throws(() => sealEscrow({ ...own, recipient, plaintext: content }), { code: "SEAL_TOO_LARGE" });
  t.throws(() => openEscrow({ ...own, key, blob: new Uint8Array(limit + 1) }), { code: "SEAL_OPEN_FAILED" });
});
