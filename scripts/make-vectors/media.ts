// Writes protocol/vectors/media.json: manifests of removable media, and what a reader makes of them.
import { hash } from "node:crypto";
import { encodeTcbor, type Tcbor } from "../../protocol/base/index.ts";
import { decodeCarrier, encodeCarrier, envelopeId, signEnvelope } from "../../protocol/envelope/index.ts";
import { sealingKeyFromSeed, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { type Manifest, type MediaFile, mediaLimits, signManifest } from "../../protocol/media/index.ts";
import {
  encodeRoot,
  type MemberStatement,
  nodeRole,
  type RootDocument,
  signMember,
  signRevoked,
  signRoot,
} from "../../protocol/trust/index.ts";
import { flipBit, variants, writeVectors } from "./write-vectors.ts";

const bytes = (length: number, byte: number) => new Uint8Array(length).fill(byte);
const signer = (byte: number) => signingKeyFromSeed(bytes(32, byte));
const sealer = (byte: number) => sealingKeyFromSeed(bytes(32, byte)).publicKey;
const sha256 = (of: Uint8Array) => new Uint8Array(hash("sha256", of, "buffer"));

const document: RootDocument = {
  version: 1,
  vaultId: null,
  trustDomain: "plant.example",
  vaultEpoch: 1,
  rootKeys: [signer(1).publicKey],
  threshold: 1,
  bundleSigners: [signer(11).publicKey],
  sealingKeys: [sealer(21)],
  recoveryKey: sealer(22),
  tlsCaKeys: [],
  witnessKeys: [],
};
const vaultId = envelopeId("root", encodeRoot(document));
const root = signRoot(document, [signer(1)]);

const member: MemberStatement = {
  vaultId,
  nodeId: signer(31).keyId,
  serial: 1,
  name: "edge-1",
  role: nodeRole.edge,
  zone: "line-4",
  signKey: signer(31).publicKey,
  sealKey: sealer(32),
  tlsKeyHash: bytes(32, 31),
  logKey: signer(33).publicKey,
  epochKey: signer(34).publicKey,
  witnessKey: null,
};
const statement = signMember(member, signer(11));
const statements = [root, statement];
const revoked = signRevoked({ vaultId, version: 1, nodes: [{ nodeId: member.nodeId, serial: 1 }] }, signer(11));

const file = (kind: MediaFile["kind"], byte: number): MediaFile => ({
  kind,
  id: bytes(32, byte),
  recipient: vaultId.slice(0, 20),
  length: 2_000 + byte,
  hash: bytes(32, byte + 100),
});
const files = [file("report", 1), file("report", 2), file("notice", 1)];
const manifest: Manifest = {
  vaultId,
  nodeId: member.nodeId,
  writeId: bytes(16, 7),
  written: { lo: 1_900_000_000, hi: null },
  files,
};
const joining: Manifest = { ...manifest, vaultId: null, files: [{ ...file("join", 3), recipient: bytes(20, 0) }] };
const signed = (change: Partial<Manifest> = {}, by = 31) => signManifest({ ...manifest, ...change }, signer(by), [statement]);

/** A manifest around any payload and any list; the payload names the list's true length and hash unless it says otherwise. */
function shaped(list: Tcbor, change: (fields: Tcbor[]) => Tcbor = (fields) => fields): Uint8Array {
  const body = encodeTcbor(list);
  const fields: Tcbor[] = [vaultId, member.nodeId, manifest.writeId, [1_900_000_000, null], [body.length, sha256(body)]];
  const envelope = signEnvelope("manifest", encodeTcbor(change(fields)), [signer(31)]);
  return encodeCarrier({ statements: [statement], envelope, body });
}

const listed = (each: MediaFile, kind = 2): Tcbor[] => [kind, each.id, each.recipient, each.length, each.hash];
const list = files.slice(0, 2).map((each) => listed(each));
const replaced = (at: number, item: Tcbor) => [
  list[0] ?? [],
  listed(file("report", 2)).map((each, place) => (place === at ? item : each)),
];
const field = (at: number, item: Tcbor) => (fields: Tcbor[]) => fields.map((each, place) => (place === at ? item : each));
const carrier = decodeCarrier(signed());
const heavy = Array.from({ length: 257 }, (_, i) => {
  const id = bytes(32, 0);
  new DataView(id.buffer).setUint32(0, i);
  return listed({ ...file("report", 1), id, length: mediaLimits.itemBytes });
});
const said = (of: Manifest) => ({
  nodeId: of.nodeId,
  writeId: of.writeId,
  lo: of.written.lo,
  hi: of.written.hi,
  names: of.files.map(({ kind, id }) => `${Buffer.from(id).toString("hex")}.${kind}`).join(" "),
});

writeVectors("media", {
  area: "media",
  about:
    "MANIFEST files, decoded and verified with the trust that `statements` (the first is root 1) make; `names` are the files' names.",
  cases: variants({ statements, expect: "MANIFEST_MALFORMED" }, [
    { name: "a manifest", expect: "ok", manifest: signed(), ...said(manifest) },
    { name: "nothing to carry", expect: "ok", manifest: signed({ files: [] }), ...said({ ...manifest, files: [] }) },
    {
      name: "a closed interval of time",
      expect: "ok",
      manifest: signed({ written: { lo: 5, hi: 6 } }),
      ...said({ ...manifest, written: { lo: 5, hi: 6 } }),
    },
    {
      name: "a join request of a node that nobody knows",
      expect: "ok",
      manifest: signManifest(joining, signer(31), []),
      ...said(joining),
    },
    { name: "a time that ends before it begins", manifest: shaped(list, field(3, [6, 5])) },
    { name: "a node id of 19 bytes", manifest: shaped(list, field(1, bytes(19, 1))) },
    { name: "six items", manifest: shaped(list, (fields) => [...fields, null]) },
    { name: "a kind that does not exist", manifest: shaped(replaced(0, 4)) },
    { name: "a path in place of an id", manifest: shaped(replaced(1, "../../etc/passwd")) },
    { name: "a recipient of 21 bytes", manifest: shaped(replaced(2, bytes(21, 1))) },
    { name: "a file of 16 MiB and a byte", manifest: shaped(replaced(3, mediaLimits.itemBytes + 1)) },
    { name: "a hash of 31 bytes", manifest: shaped(replaced(4, bytes(31, 1))) },
    { name: "one file twice", manifest: shaped([list[0] ?? [], list[0] ?? []]) },
    { name: "files in another order", manifest: shaped([...list].reverse()) },
    { name: "a list that is a map", manifest: shaped(new Map([[1, list]])) },
    { name: "files of more than 4 GiB together", expect: "MANIFEST_TOO_LARGE", manifest: shaped(heavy) },
    { name: "bytes after the carrier", manifest: new Uint8Array([...signed(), 0]) },
    {
      name: "a list that is not the signed one",
      expect: "MANIFEST_LIST",
      manifest: encodeCarrier({ ...carrier, body: encodeTcbor([]) }),
    },
    {
      name: "an envelope of another type",
      expect: "ENVELOPE_TYPE",
      manifest: encodeCarrier({ ...carrier, envelope: statement }),
    },
    { name: "signed by another node", expect: "ENVELOPE_BAD_SIGNATURE", manifest: signed({}, 41) },
    {
      name: "a turned bit in the signature",
      expect: "ENVELOPE_BAD_SIGNATURE",
      manifest: encodeCarrier({ ...carrier, envelope: flipBit(carrier.envelope, carrier.envelope.length * 8 - 20) }),
    },
    { name: "a node that nobody vouches for", expect: "TRUST_UNKNOWN", manifest: signed({ nodeId: signer(51).keyId }, 51) },
    { name: "a revoked node", expect: "TRUST_REVOKED", manifest: signed(), statements: [...statements, revoked] },
    { name: "another vault", expect: "TRUST_OTHER_VAULT", manifest: signed({ vaultId: bytes(32, 9) }) },
    {
      name: "reports of a node that has not joined",
      expect: "MANIFEST_WRITER",
      manifest: signed({ vaultId: null }),
    },
    {
      name: "a join request in the name of another node",
      expect: "MANIFEST_WRITER",
      manifest: signManifest({ ...joining, nodeId: signer(51).keyId }, signer(31), []),
    },
  ]),
});
