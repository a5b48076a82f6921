import fc from "fast-check";
import t from "tap";
import { encodeTcbor, TidegateError } from "../../../protocol/base/index.ts";
import {
  decodeCarrier,
  decodeEnvelope,
  type EnvelopeType,
  encodeCarrier,
  expectType,
  maxBodyBytes,
  maxEnvelopeBytes,
  maxRootEnvelopeBytes,
  pae,
  signEnvelope,
  typeText,
  verifyEnvelope,
} from "../../../protocol/envelope/index.ts";
import { importVerifyKey, type SigningKey } from "../../../protocol/keys/index.ts";
import { sampleSigner } from "../sample-vault.ts";

const key = sampleSigner(1);
const verifyKey = importVerifyKey(key.publicKey);
const payload = encodeTcbor(["a payload", 7]);

/** An envelope of exactly `size` bytes, built without the encoder's own limit. */
function ofSize(type: EnvelopeType, size: number, signer: SigningKey = key): Uint8Array {
  const build = (length: number) => {
    const content = new Uint8Array(length);
    return encodeTcbor(["tidegate/1", typeText(type), content, [[signer.keyId, signer.sign(pae(typeText(type), content))]]]);
  };
  const overhead = build(size - 200).length - (size - 200);
  return build(size - overhead);
}

t.test("every single-bit flip and every truncation of an envelope is refused with a code", async (t) => {
  const bytes = signEnvelope("notice", payload, [key]);
  const codes = new Set<string>();
  const tryAll = (damaged: Uint8Array) => {
    try {
      const envelope = decodeEnvelope(damaged);
      expectType(envelope, "notice");
      verifyEnvelope(envelope, verifyKey);
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      codes.add(error.code);
      return true;
    }
    return false;
  };
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const damaged = bytes.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
    if (!tryAll(damaged)) t.fail(`bit ${bit} was not noticed`);
  }
  for (let length = 0; length < bytes.length; length += 1) {
    if (!tryAll(bytes.subarray(0, length))) t.fail(`${length} bytes were taken`);
  }
  t.notOk(tryAll(bytes), "the whole one is taken");
  t.same([...codes].sort(), ["ENVELOPE_BAD_SIGNATURE", "ENVELOPE_MALFORMED", "ENVELOPE_TYPE"]);
});

t.test("an envelope that decodes, encodes to the same bytes", async (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom<EnvelopeType>("root", "bundle", "hop-receipt"),
      (content, type) => {
        const bytes = signEnvelope(type, content, [key]);
        const envelope = decodeEnvelope(bytes);
        verifyEnvelope(envelope, verifyKey);
        const again = encodeTcbor([
          "tidegate/1",
          typeText(envelope.type),
          envelope.payload,
          envelope.signatures.map((one) => [one.keyId, one.signature]),
        ]);
        return Buffer.from(again).equals(bytes);
      },
    ),
    { numRuns: 50 },
  );
  t.pass();
});

t.test("who signs does not change an envelope's id", async (t) => {
  const ids = [key, sampleSigner(2)].map((signer) => decodeEnvelope(signEnvelope("bundle", payload, [signer])).id);
  t.same(ids[0], ids[1]);
});

t.test("an envelope's size is limited by its type", async (t) => {
  const cases: [EnvelopeType, number, string | null][] = [
    ["bundle", maxEnvelopeBytes - 1, null],
    ["bundle", maxEnvelopeBytes, null],
    ["bundle", maxEnvelopeBytes + 1, "ENVELOPE_TOO_LARGE"],
    ["root", maxRootEnvelopeBytes - 1, null],
    ["root", maxRootEnvelopeBytes, null],
    ["root", maxRootEnvelopeBytes + 1, "ENVELOPE_TOO_LARGE"],
  ];
  for (const [type, size, code] of cases) {
    const bytes = ofSize(type, size);
    t.equal(bytes.length, size);
    if (code === null) t.equal(decodeEnvelope(bytes).type, type);
    else t.throws(() => decodeEnvelope(bytes), { code });
  }
});

t.test("a root bears up to sixteen signatures", async (t) => {
  const signers = Array.from({ length: 17 }, (_, index) => sampleSigner(100 + index));
  for (const count of [15, 16])
    t.equal(decodeEnvelope(signEnvelope("root", payload, signers.slice(0, count))).signatures.length, count);
  const message = pae(typeText("root"), payload);
  const pairs = signers.map((one) => [one.keyId, one.sign(message)] as const).sort((a, b) => Buffer.compare(a[0], b[0]));
  t.throws(() => decodeEnvelope(encodeTcbor(["tidegate/1", typeText("root"), payload, pairs])), { code: "ENVELOPE_MALFORMED" });
  t.throws(() => signEnvelope("root", payload, signers), { name: "AssertionError" }, "we never make one");
});

t.test("a carrier's body and statements are limited", async (t) => {
  const envelope = signEnvelope("bundle", payload, [key]);
  const body = new Uint8Array(maxBodyBytes + 1);
  const carrier = (length: number) => encodeTcbor(["tidegate-carrier/1", [], envelope, body.subarray(0, length)]);
  t.equal(decodeCarrier(carrier(maxBodyBytes - 1)).body.length, maxBodyBytes - 1);
  t.equal(decodeCarrier(carrier(maxBodyBytes)).body.length, maxBodyBytes);
  t.throws(() => decodeCarrier(carrier(maxBodyBytes + 1)), { code: "CARRIER_TOO_LARGE" });
  const statements = (count: number) => encodeTcbor(["tidegate-carrier/1", Array(count).fill(payload), envelope, payload]);
  for (const count of [63, 64]) t.equal(decodeCarrier(statements(count)).statements.length, count);
  t.throws(() => decodeCarrier(statements(65)), { code: "CARRIER_TOO_LARGE" });
  // Unsigned bytes of anybody's: 250 values and what holds them are read at the most.
  for (const count of [250, 251]) t.throws(() => decodeCarrier(statements(count)), { code: "CARRIER_TOO_LARGE" });
  t.throws(() => decodeCarrier(statements(252)), { code: "CARRIER_MALFORMED" });
  const withStatement = (size: number) => encodeTcbor(["tidegate-carrier/1", [new Uint8Array(size)], envelope, payload]);
  t.doesNotThrow(() => decodeCarrier(withStatement(maxRootEnvelopeBytes)));
  t.throws(() => decodeCarrier(withStatement(maxRootEnvelopeBytes + 1)), { code: "CARRIER_MALFORMED" });
});

t.test("every truncation of a carrier is refused", async (t) => {
  const bytes = encodeCarrier({ statements: [payload], envelope: signEnvelope("bundle", payload, [key]), body: payload });
  for (let length = 0; length < bytes.length; length += 1) {
    try {
      decodeCarrier(bytes.subarray(0, length));
      t.fail(`${length} bytes were taken`);
    } catch (error) {
      if (!(error instanceof TidegateError && error.code === "CARRIER_MALFORMED")) t.fail(`${length}: ${String(error)}`);
    }
  }
  t.same(decodeCarrier(bytes).body, payload);
});
