// Writes protocol/vectors/envelope.json: envelopes, signatures over the PAE and carriers.
import { concat, encodeTcbor, type Tcbor, utf8 } from "../../protocol/base/index.ts";
import { encodeCarrier, encodeEnvelope, envelopeId, pae, signEnvelope, typeText } from "../../protocol/envelope/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import type { VectorCase } from "../vectors-check/vector-file.ts";
import { flipBit, variants, writeVectors } from "./write-vectors.ts";

const key = signingKeyFromSeed(new Uint8Array(32).fill(3));
const other = signingKeyFromSeed(new Uint8Array(32).fill(4));
const payload = encodeTcbor([1, "payload"]);
const good = signEnvelope("notice", payload, [key]);
const signature = key.sign(pae(typeText("notice"), payload));
const pair: Tcbor = [key.keyId, signature];
const ascending = [key, other].sort((a, b) => Buffer.compare(a.keyId, b.keyId));
const rootPairs = ascending.map((one) => [one.keyId, one.sign(pae(typeText("root"), payload))]);

/** Adds the group order to S: the second form of a signature, which RFC 8032 refuses. */
function malleable(original: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  let scalar = order;
  for (let i = 0; i < 32; i += 1) scalar += BigInt(original[32 + i] ?? 0) << BigInt(8 * i);
  const out = original.slice();
  for (let i = 0; i < 32; i += 1) out[32 + i] = Number((scalar >> BigInt(8 * i)) & 0xffn);
  return out;
}

function outer(changes: { magic?: string; type?: string; payload?: Tcbor; signatures?: Tcbor; more?: Tcbor[] }): Uint8Array {
  const { magic = "tidegate/1", type = typeText("notice"), signatures = [pair], more = [] } = changes;
  return encodeTcbor([magic, type, changes.payload ?? payload, signatures, ...more]);
}

/** An envelope of exactly `size` bytes; the payload's head takes three bytes at these sizes, five from 65,536 on. */
function ofSize(type: "notice" | "root", size: number): Uint8Array {
  const empty = encodeEnvelope(type, new Uint8Array(300), [{ keyId: key.keyId, signature }]);
  const fill = new Uint8Array(size - empty.length + 300);
  return signEnvelopeUnchecked(type, fill);
}

function signEnvelopeUnchecked(type: "notice" | "root", content: Uint8Array): Uint8Array {
  const signed = key.sign(pae(typeText(type), content));
  return encodeTcbor(["tidegate/1", typeText(type), content, [[key.keyId, signed]]]);
}

const named = { kind: "envelope", publicKey: key.publicKey };
const accepted: VectorCase[] = [
  { ...named, name: "an envelope", expect: "ok", bytes: good, type: "notice", payload, id: envelopeId("notice", payload) },
  {
    ...named,
    name: "an envelope with an empty payload",
    expect: "ok",
    bytes: signEnvelope("block", new Uint8Array(0), [key]),
    type: "block",
    payload: new Uint8Array(0),
    id: envelopeId("block", new Uint8Array(0)),
  },
  {
    ...named,
    name: "a root with two signatures",
    expect: "ok",
    bytes: outer({ type: typeText("root"), signatures: rootPairs }),
    type: "root",
    payload,
    id: envelopeId("root", payload),
  },
];

const refused = variants({ ...named, expect: "ENVELOPE_MALFORMED" }, [
  { name: "no bytes", bytes: new Uint8Array(0) },
  { name: "an envelope cut short by one byte", bytes: good.subarray(0, -1) },
  { name: "a byte after the envelope", bytes: concat(good, Uint8Array.of(0)) },
  { name: "another magic", bytes: outer({ magic: "tidegate/2" }) },
  { name: "a fifth item", bytes: outer({ more: [null] }) },
  { name: "a payload that is a text", bytes: outer({ payload: "payload" }) },
  { name: "no signature", bytes: outer({ signatures: [] }) },
  { name: "two signatures on what is no root", bytes: outer({ signatures: rootPairs }) },
  { name: "a root with descending key ids", bytes: outer({ type: typeText("root"), signatures: [...rootPairs].reverse() }) },
  { name: "a root with one key id twice", bytes: outer({ type: typeText("root"), signatures: [pair, pair] }) },
  {
    name: "seventeen signatures",
    bytes: outer({ type: typeText("root"), signatures: Array.from({ length: 17 }, () => pair) }),
  },
  { name: "a key id of 19 bytes", bytes: outer({ signatures: [[key.keyId.subarray(1), signature]] }) },
  { name: "a signature of 63 bytes", bytes: outer({ signatures: [[key.keyId, signature.subarray(1)]] }) },
  { name: "a type of 65 bytes", bytes: outer({ type: "x".repeat(65) }) },
  { name: "an unknown type", expect: "ENVELOPE_TYPE", bytes: outer({ type: "application/vnd.tidegate.other.v1+cbor" }) },
  {
    name: "a later version of a type",
    expect: "ENVELOPE_TYPE",
    bytes: outer({ type: "application/vnd.tidegate.notice.v2+cbor" }),
  },
  { name: "a turned bit in the payload", expect: "ENVELOPE_BAD_SIGNATURE", bytes: outer({ payload: flipBit(payload, 40) }) },
  {
    name: "a turned bit in R",
    expect: "ENVELOPE_BAD_SIGNATURE",
    bytes: outer({ signatures: [[key.keyId, flipBit(signature, 9)]] }),
  },
  {
    name: "a turned bit in S",
    expect: "ENVELOPE_BAD_SIGNATURE",
    bytes: outer({ signatures: [[key.keyId, flipBit(signature, 300)]] }),
  },
  {
    name: "S with the group order added",
    expect: "ENVELOPE_BAD_SIGNATURE",
    bytes: outer({ signatures: [[key.keyId, malleable(signature)]] }),
  },
  {
    name: "another type around the same payload",
    expect: "ENVELOPE_BAD_SIGNATURE",
    bytes: outer({ type: typeText("approval") }),
  },
  { name: "signed by another key", expect: "ENVELOPE_BAD_SIGNATURE", bytes: signEnvelope("notice", payload, [other]) },
  {
    name: "another key's signature under this key's id",
    expect: "ENVELOPE_BAD_SIGNATURE",
    bytes: outer({ signatures: [[key.keyId, other.sign(pae(typeText("notice"), payload))]] }),
  },
  {
    name: "the payload signed without PAE",
    expect: "ENVELOPE_BAD_SIGNATURE",
    bytes: outer({ signatures: [[key.keyId, key.sign(payload)]] }),
  },
  { name: "16,385 bytes", expect: "ENVELOPE_TOO_LARGE", bytes: ofSize("notice", 16_385) },
]);

const limit = { ...named, name: "16,384 bytes", expect: "ok", bytes: ofSize("notice", 16_384) };

const encodings: VectorCase[] = [
  { name: "PAE of an empty payload", type: "a", payload: "" },
  { name: "PAE counts bytes, not characters", type: "ü", payload: "00ff" },
].map((one) => ({ ...one, expect: "ok", kind: "pae", pae: pae(one.type, Buffer.from(one.payload, "hex")) }));

const body = utf8("body");
const carriers = variants({ kind: "carrier", expect: "CARRIER_MALFORMED" }, [
  {
    name: "a carrier",
    expect: "ok",
    bytes: encodeCarrier({ statements: [good, good], envelope: good, body }),
    statements: 2,
    envelope: good,
    body,
  },
  {
    name: "a carrier without statements and body",
    expect: "ok",
    bytes: encodeCarrier({ statements: [], envelope: good, body: new Uint8Array(0) }),
    statements: 0,
    envelope: good,
    body: "",
  },
  { name: "a carrier with another magic", bytes: encodeTcbor(["tidegate-carrier/2", [], good, body]) },
  { name: "a carrier of three items", bytes: encodeTcbor(["tidegate-carrier/1", [], good]) },
  { name: "a statement that is not a byte string", bytes: encodeTcbor(["tidegate-carrier/1", [[1]], good, body]) },
  { name: "a carrier cut short", bytes: encodeCarrier({ statements: [], envelope: good, body }).subarray(0, -1) },
  {
    name: "64 statements",
    expect: "ok",
    bytes: encodeTcbor(["tidegate-carrier/1", Array(64).fill(body), good, body]),
    statements: 64,
    envelope: good,
    body,
  },
  {
    name: "65 statements",
    expect: "CARRIER_TOO_LARGE",
    bytes: encodeTcbor(["tidegate-carrier/1", Array(65).fill(body), good, body]),
  },
]);

writeVectors("envelope", {
  area: "envelope",
  about: "Envelopes, their ids and signatures, the PAE, and carriers.",
  cases: [...encodings, ...accepted, limit, ...refused, ...carriers],
});
