import type { KeyObject } from "node:crypto";
import { asBytes, asBytesUpTo, asList, decodeTcbor, encodeTcbor, type Random, utf8 } from "../../protocol/base/index.ts";
import { type SealingKey, type SigningKey, sealingKeyFromSeed, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import type { Transaction, View } from "../store/index.ts";
import { loadTlsKey, newTlsKey, tlsSpkiHash } from "./tls-key.ts";

/** The keys that a node made for itself and that never leave it. */
export interface NodeIdentity {
  /** 20 bytes: key id of the first signing key, for ever. */
  readonly nodeId: Uint8Array;
  readonly signing: SigningKey;
  readonly sealing: SealingKey;
  /** Signs checkpoints of the audit log. */
  readonly log: SigningKey;
  /** Public key (Ed25519, 32) of the audit log's epoch 0; its seed is the log's, which erases it at the first succession. */
  readonly epochKey: Uint8Array;
  readonly tls: TlsIdentity;
}

export interface TlsIdentity {
  /** P-256. */
  readonly key: KeyObject;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly spkiHash: Uint8Array;
  /** DER certificates, own first, then its issuers; empty until the join answer brings them. */
  readonly chain: readonly Uint8Array[];
}

/** The seeds of an identity, before any of it is stored: a join may fail, and then nothing stays. */
export interface IdentitySeeds {
  readonly signing: Uint8Array;
  readonly sealing: Uint8Array;
  readonly log: Uint8Array;
  /** A public key, see {@link NodeIdentity.epochKey}. */
  readonly epochKey: Uint8Array;
  /** PKCS#8 DER. */
  readonly tlsKey: Uint8Array;
  readonly tlsChain: readonly Uint8Array[];
  /** 20 bytes, where the signing key is not the first one: a node keeps its id for ever. */
  readonly nodeId?: Uint8Array;
}

/** A new identity, with the one seed that is not stored with the others: the audit log takes it over. */
export interface NewIdentity extends IdentitySeeds {
  /** 32 bytes. */
  readonly epochSeed: Uint8Array;
}

/** Table of keys: the store truncates its journal when a row of it goes. */
export const identityTable = "identity";
const seedsRow = utf8("seeds");
const maxCertificates = 4;
const maxCertificateBytes = 8 * 1024;
const maxTlsKeyBytes = 512;

/** Draws new keys. */
export function newIdentitySeeds(random: Random): NewIdentity {
  const [signing, sealing, log, epochSeed] = [random(32), random(32), random(32), random(32)];
  return {
    signing,
    sealing,
    log,
    epochSeed,
    epochKey: signingKeyFromSeed(epochSeed).publicKey,
    tlsKey: newTlsKey(random),
    tlsChain: [],
  };
}

/** New keys for a node that keeps its id and its audit log; the certificate comes with the answer. */
export function rekeyedSeeds(before: IdentitySeeds, random: Random): IdentitySeeds {
  const { nodeId } = identityOf(before);
  return { ...before, nodeId, signing: random(32), sealing: random(32), tlsKey: newTlsKey(random), tlsChain: [] };
}

/** The identity of these seeds. */
export function identityOf(seeds: IdentitySeeds): NodeIdentity {
  const signing = signingKeyFromSeed(seeds.signing);
  const key = loadTlsKey(seeds.tlsKey);
  return {
    nodeId: seeds.nodeId ?? signing.keyId,
    signing,
    sealing: sealingKeyFromSeed(seeds.sealing),
    log: signingKeyFromSeed(seeds.log),
    epochKey: seeds.epochKey,
    tls: { key, spkiHash: tlsSpkiHash(key), chain: seeds.tlsChain },
  };
}

/** Stores the seeds, sealed as every row is; a second call replaces them. */
export function storeIdentity(tx: Transaction, seeds: IdentitySeeds): void {
  tx.put(identityTable, seedsRow, encodeSeeds(seeds));
}

/** The stored seeds, or null where the node has none yet. */
export function loadIdentity(view: View): IdentitySeeds | null {
  const row = view.get(identityTable, seedsRow);
  return row === null ? null : decodeSeeds(row);
}

/** Seeds as a sealed row holds them. */
export function encodeSeeds(seeds: IdentitySeeds): Uint8Array {
  const { signing, sealing, log, epochKey, tlsKey, tlsChain, nodeId } = seeds;
  return encodeTcbor([signing, sealing, log, epochKey, tlsKey, tlsChain, ...(nodeId === undefined ? [] : [nodeId])]);
}

/** Reads what {@link encodeSeeds} wrote. */
export function decodeSeeds(row: Uint8Array): IdentitySeeds {
  const [signing, sealing, log, epochKey, tlsKey, tlsChain, nodeId] = asList(decodeTcbor(row), "identity", 7);
  return {
    signing: asBytes(signing, "signing seed", 32),
    sealing: asBytes(sealing, "sealing seed", 32),
    log: asBytes(log, "log seed", 32),
    epochKey: asBytes(epochKey, "epoch key", 32),
    tlsKey: asBytesUpTo(tlsKey, "TLS key", maxTlsKeyBytes),
    tlsChain: asList(tlsChain, "TLS chain", maxCertificates).map((each) =>
      asBytesUpTo(each, "certificate", maxCertificateBytes),
    ),
    ...(nodeId === undefined ? {} : { nodeId: asBytes(nodeId, "node id", 20) }),
  };
}
