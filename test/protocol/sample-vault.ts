import { envelopeId } from "../../protocol/envelope/index.ts";
import {
  importSealingPublicKey,
  type SealingKey,
  type SealingPublicKey,
  type SigningKey,
  sealingKeyFromSeed,
  signingKeyFromSeed,
} from "../../protocol/keys/index.ts";
import {
  encodeRoot,
  type MemberStatement,
  nodeRole,
  type RevokedNode,
  type RootDocument,
  signMember,
  signRevoked,
  signRoot,
  startTrust,
  type TrustState,
} from "../../protocol/trust/index.ts";

/** A signing key whose seed is 32 times `byte`: the same in each run. */
export function sampleSigner(byte: number): SigningKey {
  return signingKeyFromSeed(new Uint8Array(32).fill(byte));
}

/** As {@link sampleSigner}, for sealing. */
export function sampleSealer(byte: number): SealingKey {
  return sealingKeyFromSeed(new Uint8Array(32).fill(byte));
}

/** The public half of {@link sampleSealer}, imported. */
export function sampleRecipient(byte: number): SealingPublicKey {
  return importSealingPublicKey(sampleSealer(byte).publicKey);
}

/** Root 1 of a sample vault: root key 1, bundle signer 11, sealing key 21, recovery key 22. */
export function sampleRoot(changes: Partial<RootDocument> = {}): RootDocument {
  return {
    version: 1,
    vaultId: null,
    trustDomain: "plant.example",
    vaultEpoch: 1,
    rootKeys: [sampleSigner(1).publicKey],
    threshold: 1,
    bundleSigners: [sampleSigner(11).publicKey],
    sealingKeys: [sampleSealer(21).publicKey],
    recoveryKey: sampleSealer(22).publicKey,
    tlsCaKeys: [],
    witnessKeys: [sampleSigner(45).publicKey],
    ...changes,
  };
}

/** The trust state that holds the sample vault's root 1 and nothing else. */
export function sampleTrust(): TrustState {
  const envelope = signRoot(sampleRoot(), [sampleSigner(1)]);
  return startTrust([envelope], { version: 1, id: sampleVaultId() });
}

/** The sample vault's id. */
export function sampleVaultId(): Uint8Array {
  return envelopeId("root", encodeRoot(sampleRoot()));
}

/** An edge of the sample vault: signing key 31, sealing key 32, log key 33, epoch key 34. */
export function sampleMember(changes: Partial<MemberStatement> = {}): MemberStatement {
  return {
    vaultId: sampleVaultId(),
    nodeId: sampleSigner(31).keyId,
    serial: 1,
    name: "edge-1",
    role: nodeRole.edge,
    zone: "line-4",
    signKey: sampleSigner(31).publicKey,
    sealKey: sampleSealer(32).publicKey,
    tlsKeyHash: new Uint8Array(32).fill(0x7a),
    logKey: sampleSigner(33).publicKey,
    epochKey: sampleSigner(34).publicKey,
    witnessKey: null,
    ...changes,
  };
}

/** A member statement signed by the sample vault's bundle signer. */
export function signedMember(changes: Partial<MemberStatement> = {}): Uint8Array {
  return signMember(sampleMember(changes), sampleSigner(11));
}

/** A revoked list signed by the sample vault's bundle signer. */
export function signedRevoked(version: number, nodes: RevokedNode[]): Uint8Array {
  return signRevoked({ vaultId: sampleVaultId(), version, nodes }, sampleSigner(11));
}
