// Writes protocol/vectors/notice.json: an edge's notices, and what a gateway makes of them.
import { encodeTcbor, type Tcbor } from "../../protocol/base/index.ts";
import { envelopeId, signEnvelope } from "../../protocol/envelope/index.ts";
import { sealingKeyFromSeed, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { type Notice, type NoticeState, signNotice } from "../../protocol/notice/index.ts";
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

function member(byte: number, name: string, role: MemberStatement["role"], zone: string): Uint8Array {
  const statement: MemberStatement = {
    vaultId,
    nodeId: signer(byte).keyId,
    serial: 1,
    name,
    role,
    zone,
    signKey: signer(byte).publicKey,
    sealKey: sealer(byte + 1),
    tlsKeyHash: bytes(32, byte),
    logKey: signer(byte + 2).publicKey,
    epochKey: signer(byte + 3).publicKey,
    witnessKey: null,
  };
  return signMember(statement, signer(11));
}

const [edge, gateway, stranger] = [31, 41, 51];
const statements = [root, member(edge, "edge-1", nodeRole.edge, "line-4"), member(gateway, "gw-1", nodeRole.gateway, "dmz")];
const notice: Notice = {
  vaultId,
  nodeId: signer(edge).keyId,
  accountId: bytes(16, 2),
  index: { epoch: 1, number: 7 },
  state: "sent",
  leaf: { serial: 1, index: 300 },
};
const said = { accountId: notice.accountId, nodeId: notice.nodeId, epoch: 1, number: 7, leafSerial: 1, leafIndex: 300 };
const signed = (state: NoticeState, by = edge) => signNotice({ ...notice, state }, signer(by));
const shaped = (payload: Tcbor) => signEnvelope("notice", encodeTcbor(payload), [signer(edge)]);
const fields: Tcbor[] = [vaultId, notice.nodeId, notice.accountId, [1, 7], 0, [1, 300]];
const replaced = (at: number, item: Tcbor) => shaped(fields.map((field, place) => (place === at ? item : field)));
const revoked = signRevoked({ vaultId, version: 1, nodes: [{ nodeId: notice.nodeId, serial: 1 }] }, signer(11));

writeVectors("notice", {
  area: "notice",
  about: "Notices of an edge, opened with the trust that `statements` (the first is root 1) make.",
  cases: variants({ statements, expect: "NOTICE_MALFORMED" }, [
    { name: "a value was sent", expect: "ok", notice: signed("sent"), state: "sent", zone: "line-4", ...said },
    { name: "a value is verified", expect: "ok", notice: signed("verified"), state: "verified", zone: "line-4", ...said },
    { name: "an older value came back", expect: "ok", notice: signed("reverted"), state: "reverted", zone: "line-4", ...said },
    { name: "a state that does not exist", notice: replaced(4, 3) },
    { name: "an account id of 15 bytes", notice: replaced(2, bytes(15, 2)) },
    { name: "no leaf", notice: replaced(5, null) },
    { name: "five items", notice: shaped(fields.slice(0, 5)) },
    { name: "an edge of another vault", expect: "TRUST_OTHER_VAULT", notice: replaced(0, bytes(32, 9)) },
    { name: "an edge that nobody vouches for", expect: "TRUST_UNKNOWN", notice: replaced(1, signer(stranger).keyId) },
    { name: "a revoked edge", expect: "TRUST_REVOKED", notice: signed("sent"), statements: [...statements, revoked] },
    { name: "signed by another node", expect: "ENVELOPE_BAD_SIGNATURE", notice: signed("sent", gateway) },
    {
      name: "a turned bit in the signature",
      expect: "ENVELOPE_BAD_SIGNATURE",
      notice: flipBit(signed("sent"), signed("sent").length * 8 - 20),
    },
    {
      name: "a gateway that speaks as an edge",
      expect: "NOTICE_NOT_OWNER",
      notice: signNotice({ ...notice, nodeId: signer(gateway).keyId }, signer(gateway)),
    },
    {
      name: "an envelope of another type",
      expect: "ENVELOPE_TYPE",
      notice: signEnvelope("report", encodeTcbor(fields), [signer(edge)]),
    },
  ]),
});
