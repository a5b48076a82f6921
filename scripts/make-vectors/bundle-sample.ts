// The parties and states of the bundle vectors.
import { ml_kem768_x25519 } from "@noble/post-quantum/hybrid.js";
import { encodeTcbor, type Tcbor } from "../../protocol/base/index.ts";
import {
  type BodyForm,
  type BundleBody,
  bundleKind,
  direction,
  emptyBody,
  emptyDigest,
  entryMap,
  type HeaderContext,
  makeEntry,
  stateDigest,
} from "../../protocol/bundle/index.ts";
import { envelopeId } from "../../protocol/envelope/index.ts";
import { type SealingPublicKey, sealingKeyFromSeed, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { encodeRoot, nodeRole, type RootDocument, signMember, signRoot } from "../../protocol/trust/index.ts";

export const fill = (length: number, byte: number) => new Uint8Array(length).fill(byte);
const signer = (byte: number) => signingKeyFromSeed(fill(32, byte));
const sealer = (byte: number) => sealingKeyFromSeed(fill(32, byte));
const rootKey = signer(41);
export const [vaultSigner, edgeSigner] = [signer(42), signer(43)] as const;
export const vaultSealer = sealer(44);
const recovery = sealer(45);
const edgeSealer = sealer(46);

/** The public key with an encapsulation that draws nothing, so that the file is the same each time. */
export function recipientOf(byte: number): SealingPublicKey {
  const { publicKey, publicKeyDigest, keyId } = sealer(byte);
  const encapsulate = () => {
    const { cipherText, sharedSecret } = ml_kem768_x25519.encapsulate(publicKey, fill(64, byte + 100));
    return { secret: sharedSecret, ciphertext: cipherText };
  };
  return { publicKey, publicKeyDigest, keyId, encapsulate };
}

const root: RootDocument = {
  version: 1,
  vaultId: null,
  trustDomain: "plant.example",
  vaultEpoch: 3,
  rootKeys: [rootKey.publicKey],
  threshold: 1,
  bundleSigners: [vaultSigner.publicKey],
  sealingKeys: [vaultSealer.publicKey],
  recoveryKey: recovery.publicKey,
  tlsCaKeys: [],
  witnessKeys: [],
};
export const vaultId = envelopeId("root", encodeRoot(root));
export const start = [signRoot(root, [rootKey])];
const nextRoot: RootDocument = { ...root, version: 2, vaultId, vaultEpoch: 4 };
export const nextRootId = envelopeId("root", encodeRoot(nextRoot));
export const nextRootEnvelope = signRoot(nextRoot, [rootKey]);
export const member = {
  vaultId,
  nodeId: edgeSigner.keyId,
  serial: 1,
  name: "edge-1",
  role: nodeRole.edge,
  zone: "line-4",
  signKey: edgeSigner.publicKey,
  sealKey: edgeSealer.publicKey,
  tlsKeyHash: fill(32, 1),
  logKey: signer(47).publicKey,
  epochKey: signer(48).publicKey,
  witnessKey: null,
};
export const memberEnvelope = signMember(member, vaultSigner);
export const nonce = fill(16, 0xe0);

export const entry = (type: number, id: number, payload: string, number = 1) =>
  makeEntry({
    type,
    id: fill(16, id),
    index: { epoch: 3, number },
    authority: type === 5 ? { notBefore: 1_800_000_000, notAfter: 1_800_003_600 } : null,
    salt: fill(16, 0x50 + id),
    payload: new Uint8Array(Buffer.from(payload, "hex")),
  });
export const entries = [entry(3, 1, "8101"), entry(3, 2, "8102"), entry(5, 1, "8103"), entry(300, 0, "")];
export const one = entries[0] as (typeof entries)[number];
export const newer = entry(3, 1, "8109", 2);

export function context(changes: Partial<HeaderContext> = {}): HeaderContext {
  const up = changes.direction === direction.up;
  return {
    vaultId,
    vaultEpoch: 3,
    direction: direction.down,
    signer: (up ? edgeSigner : vaultSigner).keyId,
    recipient: up ? vaultId.slice(0, 20) : member.nodeId,
    sealingKeyId: (up ? vaultSealer : edgeSealer).keyId,
    root: { version: 1, id: vaultId },
    seq: 1,
    prev: fill(32, 0),
    kind: bundleKind.snapshot,
    issuedAt: up ? { lo: 1_800_000_000, hi: null } : { lo: 1_800_000_000, hi: 1_800_000_000 },
    nonce: fill(16, 0xb0),
    answers: [nonce],
    ack: null,
    auditHead: { serial: 1, size: 9, root: fill(32, 9) },
    provenHead: null,
    boot: up ? { joinCounter: 1, bootCounter: 5 } : null,
    ...changes,
  };
}

export const down = { direction: direction.down, kind: bundleKind.snapshot };
export const up = { direction: direction.up, kind: bundleKind.snapshot };
export const delta = { direction: direction.down, kind: bundleKind.delta };
/** A case has a `kind` of its own, so a body's is called `form` in the file: 0 delta, 1 snapshot. */
export const inFile = (form: BodyForm) => ({ direction: form.direction, form: form.kind });
export const snapshotBody: BundleBody = { ...emptyBody(stateDigest(entryMap(entries)), null), entries };
export const after = entryMap([newer, ...entries.slice(1, 3)]);
export const deltaBody: BundleBody = {
  ...emptyBody(stateDigest(after), stateDigest(entryMap(entries))),
  entries: [newer],
  removed: [{ type: 300, id: fill(16, 0) }],
};
export const reportBody: BundleBody = {
  ...emptyBody(emptyDigest(), null),
  facts: [{ type: 6, payload: encodeTcbor([9, 2]) }],
  escrow: fill(3, 1),
  consistencyProof: { serial: 1, from: 4, hashes: [fill(32, 3)] },
  capabilities: ["modbus", "snmp"],
};
export const raw = (...pairs: [number, Tcbor][]) => encodeTcbor(new Map<number, Tcbor>([[2, emptyDigest()], ...pairs]));
