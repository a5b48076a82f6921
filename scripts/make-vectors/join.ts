// Writes protocol/vectors/join.json: enrolment codes and join requests.
import { decodeTcbor, encodeTcbor, Secret, type Tcbor } from "../../protocol/base/index.ts";
import { decodeEnvelope, signEnvelope } from "../../protocol/envelope/index.ts";
import { type EnrolmentCode, encodeEnrolmentCode, makeJoinRequest } from "../../protocol/join/index.ts";
import { sealingKeyFromSeed, signingKeyFromSeed, smallOrderEncodings } from "../../protocol/keys/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import type { VectorCase } from "../vectors-check/vector-file.ts";
import { flipBit, variants, writeVectors } from "./write-vectors.ts";

const bytes = (length: number, byte: number) => new Uint8Array(length).fill(byte);
const signer = (byte: number) => signingKeyFromSeed(bytes(32, byte));
const code: EnrolmentCode = {
  codeId: bytes(16, 1),
  secret: new Secret(bytes(16, 2)),
  rootVersion: 3,
  rootId: bytes(32, 4),
  role: nodeRole.edge,
  name: "edge-1",
  address: "gateway.plant.example:7444",
};
const text = encodeEnrolmentCode(code);
const fields = {
  codeId: code.codeId,
  secret: bytes(16, 2),
  rootVersion: 3,
  rootId: code.rootId,
  role: 2,
  nodeName: "edge-1",
  address: code.address,
};
const byMedia = encodeEnrolmentCode({ ...code, address: "" });
const at = text.length - 30;
const wrong = text[at] === "a" ? "b" : "a";

const codes = variants({ kind: "code", expect: "JOIN_CODE_CHECKSUM" }, [
  { name: "an enrolment code", expect: "ok", text, ...fields },
  {
    name: "an enrolment code in capitals and lines",
    expect: "ok",
    text: ` ${text.toUpperCase().replaceAll("-", "\n")}\n`,
    ...fields,
  },
  { name: "an enrolment code without an address", expect: "ok", text: byMedia, ...fields, address: "" },
  { name: "a code with one character wrong", text: `${text.slice(0, at)}${wrong}${text.slice(at + 1)}` },
  { name: "a code without its last character", text: text.slice(0, -1) },
  { name: "a code with a character that is not base32", text: text.replace(/.$/, "1") },
  { name: "the mark alone", text: "tg1-" },
  { name: "a code of a later version", expect: "JOIN_CODE_VERSION", text: text.replace("tg1", "tg2") },
  { name: "no text", expect: "JOIN_CODE_MALFORMED", text: "" },
  { name: "another text", expect: "JOIN_CODE_MALFORMED", text: "correct horse battery staple" },
  { name: "1,025 characters", expect: "JOIN_CODE_MALFORMED", text: text.padEnd(1025, " ") },
  { name: "1,024 characters", expect: "ok", text: text.padEnd(1024, " "), ...fields },
]);

const keys = {
  signing: signer(31),
  sealKey: sealingKeyFromSeed(bytes(32, 32)).publicKey,
  tlsKeyHash: bytes(32, 5),
  logKey: signer(33).publicKey,
  epochKey: signer(34).publicKey,
  nonce: bytes(16, 6),
  replaces: null,
};
const request = makeJoinRequest({ ...keys, code });
const items = decodeTcbor(decodeEnvelope(request).payload) as Tcbor[];
const names = [
  "root id",
  "code id",
  "name",
  "role",
  "sign key",
  "seal key",
  "TLS key hash",
  "log key",
  "epoch-0 key",
  "nonce",
  "replaces",
  "mac",
];
const others: Tcbor[] = [
  bytes(32, 9),
  items[1] ?? null,
  "edge-2",
  1,
  signer(51).publicKey,
  sealingKeyFromSeed(bytes(32, 52)).publicKey,
  bytes(32, 53),
  signer(54).publicKey,
  signer(55).publicKey,
  bytes(16, 56),
  bytes(20, 57),
  bytes(32, 58),
];

/** What a gateway can do: change a field, and sign the whole by a key of its own. */
const swapped = names.flatMap((name, index): { name: string; request: Uint8Array }[] => {
  if (name === "code id") return [];
  const changed = items.map((item, place) => (place === index ? (others[index] ?? null) : item));
  return [{ name: `${name} swapped`, request: signEnvelope("join", encodeTcbor(changed), [signer(51)]) }];
});

const remade = (changes: Partial<EnrolmentCode>) => makeJoinRequest({ ...keys, code: { ...code, ...changes } });
const weak = new Uint8Array(Buffer.from(smallOrderEncodings[7] ?? "", "hex"));
const requests: VectorCase[] = variants({ kind: "request", expect: "JOIN_MAC", code: text }, [
  { name: "a join request", expect: "ok", request, nodeId: keys.signing.keyId, nodeName: "edge-1", nonce: keys.nonce },
  {
    name: "a join request that replaces a node",
    expect: "ok",
    request: makeJoinRequest({ ...keys, code, replaces: bytes(20, 7) }),
    nodeId: keys.signing.keyId,
    nodeName: "edge-1",
    nonce: keys.nonce,
  },
  ...swapped,
  { name: "made with another secret", request: remade({ secret: new Secret(bytes(16, 3)) }) },
  {
    name: "signed by another key",
    expect: "ENVELOPE_BAD_SIGNATURE",
    request: signEnvelope("join", encodeTcbor(items), [signer(51)]),
  },
  {
    name: "a turned bit in the signature",
    expect: "ENVELOPE_BAD_SIGNATURE",
    request: flipBit(request, request.length * 8 - 20),
  },
  { name: "made for another root", expect: "JOIN_ROOT", request: remade({ rootId: bytes(32, 8) }) },
  { name: "made for another name", expect: "JOIN_NOT_AS_ENROLLED", request: remade({ name: "edge-2" }) },
  { name: "made for another role", expect: "JOIN_NOT_AS_ENROLLED", request: remade({ role: nodeRole.gateway }) },
  { name: "a log key of small order", expect: "KEY_WEAK", request: makeJoinRequest({ ...keys, code, logKey: weak }) },
  {
    name: "a sealing key that is none",
    expect: "KEY_MALFORMED",
    request: makeJoinRequest({ ...keys, code, sealKey: bytes(1216, 255) }),
  },
  {
    name: "one key for two purposes",
    expect: "JOIN_MALFORMED",
    request: makeJoinRequest({ ...keys, code, logKey: keys.signing.publicKey }),
  },
  {
    name: "eleven items",
    expect: "JOIN_MALFORMED",
    request: signEnvelope("join", encodeTcbor(items.slice(0, 11)), [keys.signing]),
  },
  {
    name: "an envelope of another type",
    expect: "ENVELOPE_TYPE",
    request: signEnvelope("notice", encodeTcbor(items), [keys.signing]),
  },
]);

writeVectors("join", {
  area: "join",
  about: "Enrolment codes and join requests; `code` is the code as the vault holds it.",
  cases: [...codes, ...requests],
});
