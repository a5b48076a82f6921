// Writes protocol/vectors/trust.json: chains of roots, member statements and revoked lists, and what a node makes of them.
import { concat, decodeTcbor, encodeTcbor, type Tcbor } from "../../protocol/base/index.ts";
import { decodeEnvelope, envelopeId, signEnvelope } from "../../protocol/envelope/index.ts";
import { sealingKeyFromSeed, signingKeyFromSeed, smallOrderEncodings } from "../../protocol/keys/index.ts";
import {
  encodeMember,
  encodeRevoked,
  encodeRoot,
  type MemberStatement,
  nodeRole,
  type RevokedNode,
  type RootDocument,
  signMember,
  signRevoked,
  signRoot,
} from "../../protocol/trust/index.ts";
import type { VectorCase } from "../vectors-check/vector-file.ts";
import { flipBit, variants, writeVectors } from "./write-vectors.ts";

const signer = (byte: number) => signingKeyFromSeed(new Uint8Array(32).fill(byte));
const sealer = (byte: number) => sealingKeyFromSeed(new Uint8Array(32).fill(byte)).publicKey;
/** P-256 base point as SPKI DER. */
const spki = Buffer.from(
  "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
  "hex",
);

const first: RootDocument = {
  version: 1,
  vaultId: null,
  trustDomain: "plant.example",
  vaultEpoch: 1,
  rootKeys: [1, 2, 3].map((byte) => signer(byte).publicKey),
  threshold: 2,
  bundleSigners: [signer(11).publicKey],
  sealingKeys: [sealer(21)],
  recoveryKey: sealer(22),
  tlsCaKeys: [new Uint8Array(spki)],
  witnessKeys: [signer(41).publicKey],
};
const vaultId = envelopeId("root", encodeRoot(first));
const second: RootDocument = { ...first, version: 2, vaultId, rootKeys: [2, 3, 4].map((byte) => signer(byte).publicKey) };
const third: RootDocument = { ...second, version: 3, vaultEpoch: 2, bundleSigners: [signer(12).publicKey] };
const root1 = signRoot(first, [signer(1), signer(2)]);
const root2 = signRoot(second, [signer(2), signer(3)]);
const root3 = signRoot(third, [signer(2), signer(3), signer(4)]);
const pin = { pinVersion: 1, pinId: vaultId };

const edge: MemberStatement = {
  vaultId,
  nodeId: signer(31).keyId,
  serial: 3,
  name: "edge-1",
  role: nodeRole.edge,
  zone: "line-4",
  signKey: signer(31).publicKey,
  sealKey: sealer(32),
  tlsKeyHash: new Uint8Array(32).fill(0x7a),
  logKey: signer(33).publicKey,
  epochKey: signer(34).publicKey,
  witnessKey: null,
};
const member = (changes: Partial<MemberStatement> = {}, by = 11) => signMember({ ...edge, ...changes }, signer(by));
const revoked = (version: number, nodes: RevokedNode[], by = 11) => signRevoked({ vaultId, version, nodes }, signer(by));
const revokeEdge = (serial: number) => [{ nodeId: edge.nodeId, serial }];
const next = (changes: Partial<RootDocument>, by: readonly number[] = [2, 3]) =>
  signRoot({ ...second, ...changes }, by.map(signer));

/** A statement whose payload is `payload` with one item replaced, signed as it should be. */
function broken(type: "member" | "revoked", payload: Uint8Array, at: number, item: Tcbor): Uint8Array {
  const items = [...(decodeTcbor(payload) as Tcbor[])];
  items[at] = item;
  return signEnvelope(type, encodeTcbor(items), [signer(11)]);
}

function brokenRoot(key: number, item: Tcbor | undefined): Uint8Array {
  const map = new Map(decodeTcbor(encodeRoot(first)) as Map<number, Tcbor>);
  if (item === undefined) map.delete(key);
  else map.set(key, item);
  return signEnvelope("root", encodeTcbor(map), [signer(1), signer(2)]);
}

const ascending = (keys: readonly Uint8Array[]) => keys.map((key) => new Uint8Array(key)).sort(Buffer.compare);
const weak = Buffer.from(smallOrderEncodings[6] ?? "", "hex");
const forged = signEnvelope("root", encodeRoot({ ...second, vaultEpoch: 9 }), [signer(3), signer(4)]);
const reversed = new Map(decodeTcbor(encodeRoot(first)) as Map<number, Tcbor>);
reversed.set(5, [...first.rootKeys].sort(Buffer.compare).reverse());

const chains = variants({ kind: "chain", expect: "TRUST_ROOT_SIGNATURES", ...pin, start: [root1], apply: [] }, [
  { name: "root 1 signed by two of three", expect: "ok", newest: 1 },
  { name: "roots 1 to 3 in any order", expect: "ok", start: [root3, root1, root2], newest: 3 },
  { name: "a root that comes later", expect: "ok", apply: [[root2], [root3]], newest: 3 },
  { name: "roots that come again", expect: "ok", apply: [[root2], [root1, root2]], newest: 2 },
  {
    name: "a chain that begins with the pinned root 2",
    expect: "ok",
    pinVersion: 2,
    pinId: envelopeId("root", encodeRoot(second)),
    start: [root2, root3],
    newest: 3,
  },
  { name: "root 1 signed by one of three", start: [signRoot(first, [signer(1)])] },
  { name: "root 1 signed by a stranger too", start: [signRoot(first, [signer(1), signer(2), signer(9)])] },
  { name: "root 2 with a threshold of the old keys only", apply: [[next({}, [1, 2])]] },
  { name: "root 2 with a threshold of the new keys only", apply: [[next({}, [3, 4])]] },
  { name: "root 2 with one signature that does not hold", apply: [[flipBit(root2, root2.length * 8 - 5)]] },
  { name: "root 3 without root 2", expect: "TRUST_ROOT_GAP", apply: [[root3]] },
  {
    name: "a chain that begins with neither root 1 nor the pinned one",
    expect: "TRUST_ROOT_GAP",
    pinVersion: 3,
    start: [root2, root3],
  },
  { name: "a chain without the pinned version", expect: "TRUST_ROOT_PIN", pinVersion: 2 },
  { name: "a chain with another id at the pinned version", expect: "TRUST_ROOT_PIN", pinId: flipBit(vaultId, 3) },
  { name: "no root at all", expect: "TRUST_ROOT_PIN", start: [] },
  { name: "root 2 of another vault", expect: "TRUST_OTHER_VAULT", apply: [[next({ vaultId: flipBit(vaultId, 1) })]] },
  {
    name: "another root 1",
    expect: "TRUST_OTHER_VAULT",
    apply: [[signRoot({ ...first, vaultEpoch: 2 }, [signer(1), signer(2)])]],
  },
  {
    name: "two roots of version 2, both validly signed",
    expect: "TRUST_ROOT_FORK",
    apply: [[root2], [next({ vaultEpoch: 5 })]],
  },
  { name: "a second root 2 without the old keys' threshold is no fork", apply: [[root2], [forged]] },
  { name: "a root that lowers the vault epoch", expect: "TRUST_ROOT_REGRESSION", apply: [[next({ vaultEpoch: 0 })]] },
  {
    name: "a root that changes the trust domain",
    expect: "TRUST_ROOT_REGRESSION",
    apply: [[next({ trustDomain: "other.example" })]],
  },
]);

const malformed = variants({ kind: "chain", expect: "TRUST_MALFORMED", ...pin, apply: [] }, [
  { name: "root 1 that holds a vault id", start: [brokenRoot(2, vaultId)] },
  { name: "root 0", start: [brokenRoot(1, 0)] },
  { name: "a root without a recovery key", start: [brokenRoot(9, undefined)] },
  { name: "a root with an unknown key 12", start: [brokenRoot(12, null)] },
  { name: "a root with threshold 0", start: [brokenRoot(6, 0)] },
  { name: "a root with threshold 4 of 3", start: [brokenRoot(6, 4)] },
  { name: "a root without root keys", start: [brokenRoot(5, [])] },
  {
    name: "a root with a root key twice",
    start: [brokenRoot(5, [signer(1).publicKey, signer(1).publicKey, signer(2).publicKey])],
  },
  { name: "a root with descending root keys", start: [signEnvelope("root", encodeTcbor(reversed), [signer(1), signer(2)])] },
  { name: "a root without bundle signers", start: [brokenRoot(7, [])] },
  { name: "a root without sealing keys", start: [brokenRoot(8, [])] },
  { name: "a root with a sealing key twice", start: [brokenRoot(8, [sealer(21), sealer(21)])] },
  { name: "a root with a compressed P-256 key", start: [brokenRoot(10, [flipBit(new Uint8Array(spki), 26 * 8 + 6)])] },
  { name: "a trust domain in upper case", start: [brokenRoot(3, "Plant.example")] },
  { name: "a trust domain of 101 characters", start: [brokenRoot(3, "a".repeat(101))] },
  {
    name: "a root key of small order",
    expect: "KEY_WEAK",
    start: [brokenRoot(5, ascending([weak, signer(1).publicKey, signer(2).publicKey]))],
  },
  { name: "a recovery key that is none", expect: "KEY_MALFORMED", start: [brokenRoot(9, new Uint8Array(1216).fill(255))] },
]);

const revokedPayload = encodeRevoked({ vaultId, version: 2, nodes: revokeEdge(3) });
const doubled: Tcbor = [
  [edge.nodeId, 1],
  [edge.nodeId, 2],
];
const statements = variants({ kind: "statements", expect: "TRUST_MALFORMED", ...pin, start: [root1], ask: edge.nodeId }, [
  { name: "a member", expect: "ok", apply: [[member()]], serial: 3 },
  { name: "a member with a higher serial", expect: "ok", apply: [[member()], [member({ serial: 4 })]], serial: 4 },
  { name: "a lower serial is ignored", expect: "ok", apply: [[member()], [member({ serial: 2, name: "edge-2" })]], serial: 3 },
  {
    name: "a lower serial is ignored whoever signed it",
    expect: "ok",
    apply: [[member()], [member({ serial: 2 }, 9)]],
    serial: 3,
  },
  {
    name: "a member under the new bundle signer, in one carrier with the roots",
    expect: "ok",
    apply: [[member({}, 12), root3, root2]],
    serial: 3,
  },
  {
    name: "the same words signed anew by the new bundle signer",
    expect: "ok",
    apply: [[member()], [root2, root3, member({}, 12)]],
    serial: 3,
  },
  { name: "a member whose signer was retired", expect: "TRUST_SIGNER", apply: [[member()], [root2, root3]] },
  { name: "a member revoked with a lower serial", expect: "ok", apply: [[member(), revoked(2, revokeEdge(2))]], serial: 3 },
  { name: "a revoked member", expect: "TRUST_REVOKED", apply: [[member(), revoked(2, revokeEdge(3))]] },
  {
    name: "an older revoked list is ignored",
    expect: "TRUST_REVOKED",
    apply: [[member(), revoked(2, revokeEdge(3))], [revoked(1, [])]],
  },
  { name: "an unknown node", expect: "TRUST_UNKNOWN", apply: [[]] },
  { name: "a member signed by a stranger", expect: "TRUST_SIGNER", apply: [[member({}, 9)]] },
  {
    name: "a member with a turned bit",
    expect: "ENVELOPE_BAD_SIGNATURE",
    apply: [[flipBit(member(), member().length * 8 - 3)]],
  },
  { name: "a member of another vault", expect: "TRUST_OTHER_VAULT", apply: [[member({ vaultId: flipBit(vaultId, 0) })]] },
  { name: "two members of one serial", expect: "TRUST_MEMBER_FORK", apply: [[member()], [member({ name: "edge-2" })]] },
  {
    name: "two revoked lists of one version",
    expect: "TRUST_REVOKED_FORK",
    apply: [[revoked(1, [])], [revoked(1, revokeEdge(1))]],
  },
  {
    name: "a revoked list of another vault",
    expect: "TRUST_OTHER_VAULT",
    apply: [[broken("revoked", revokedPayload, 0, new Uint8Array(32))]],
  },
  {
    name: "a notice among the statements",
    expect: "ENVELOPE_TYPE",
    apply: [[signEnvelope("notice", encodeMember(edge), [signer(11)])]],
  },
  { name: "a member payload under the type revoked", apply: [[signEnvelope("revoked", encodeMember(edge), [signer(11)])]] },
  { name: "a member with role 3", apply: [[broken("member", encodeMember(edge), 4, 3)]] },
  { name: "a member with a name in upper case", apply: [[broken("member", encodeMember(edge), 3, "Edge")]] },
  { name: "a member with an empty zone", apply: [[broken("member", encodeMember(edge), 5, "")]] },
  { name: "a member with a name of 64 characters", apply: [[broken("member", encodeMember(edge), 3, "a".repeat(64))]] },
  {
    name: "a member with a log key of small order",
    expect: "KEY_WEAK",
    apply: [[broken("member", encodeMember(edge), 9, new Uint8Array(weak))]],
  },
  {
    name: "a member with a sealing key that is none",
    expect: "KEY_MALFORMED",
    apply: [[broken("member", encodeMember(edge), 7, new Uint8Array(1216).fill(255))]],
  },
  {
    name: "a member with bytes after its payload",
    apply: [[signEnvelope("member", concat(encodeMember(edge), Uint8Array.of(0)), [signer(11)])]],
  },
  { name: "a revoked list that names a node twice", apply: [[broken("revoked", revokedPayload, 2, doubled)]] },
  { name: "a revoked list of version 0", apply: [[broken("revoked", revokedPayload, 1, 0)]] },
]);

const shown: VectorCase[] = variants({ kind: "shown", expect: "ok", ...pin, start: [root1], apply: [[member()]] }, [
  { name: "a peer shows the statement that is held", shows: member() },
  { name: "a peer shows a newer statement", shows: member({ serial: 4 }) },
  { name: "a peer shows a statement that was replaced", expect: "TRUST_MEMBER_OLD", shows: member({ serial: 2 }) },
  { name: "a peer shows a second statement of one serial", expect: "TRUST_MEMBER_FORK", shows: member({ name: "edge-2" }) },
  { name: "a peer that is revoked", expect: "TRUST_REVOKED", apply: [[revoked(1, revokeEdge(3))]], shows: member() },
  { name: "a peer shows a root", expect: "ENVELOPE_TYPE", shows: root1 },
]);

const payloadOf = (bytes: Uint8Array) => decodeEnvelope(bytes).payload;
writeVectors("trust", {
  area: "trust",
  about:
    "A node that starts with `start` and the pin, then applies each list of `apply`. chain: version of the newest root; statements: is the node `ask` trusted, under which serial; shown: is the statement `shows` good. payload: the two ways of a document.",
  cases: [
    { name: "payload of a root", expect: "ok", kind: "payload", type: "root", payload: payloadOf(root2) },
    { name: "payload of a member statement", expect: "ok", kind: "payload", type: "member", payload: payloadOf(member()) },
    { name: "payload of a revoked list", expect: "ok", kind: "payload", type: "revoked", payload: revokedPayload },
    ...chains,
    ...malformed,
    ...statements,
    ...shown,
  ],
});
