import type { KeyObject } from "node:crypto";
import {
  asBytes,
  asBytesUpTo,
  asList,
  asTuple,
  decodeTcbor,
  encodeTcbor,
  type Random,
  utf8,
} from "../../protocol/base/index.ts";
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
  /** Seed (32) of the audit log's epoch 0 key; the audit log takes it over and erases it at the first succession. */
  readonly epochSeed: Uint8Array;
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
  readonly epoch: Uint8Array;
  /** PKCS#8 DER. */
  readonly tlsKey: Uint8Array;
  readonly tlsChain: readonly Uint8Array[];
}

/** Table of keys: the store truncates its journal when a row of it goes. */
export const identityTable = "identity";
const seedsRow = utf8("seeds");
const maxCertificates = 4;
const maxCertificateBytes = 8 * 1024;
const maxTlsKeyBytes = 512;

/** Draws new keys. */
export function newIdentitySeeds(random: Random): IdentitySeeds {
  return {
    signing: random(32),
    sealing: random(32),
    log: random(32),
    epoch: random(32),
    tlsKey: newTlsKey(random),
    tlsChain: [],
  };
}

/** The identity of these seeds. */
export function identityOf(seeds: IdentitySeeds): NodeIdentity {
  const signing = signingKeyFromSeed(seeds.signing);
  const key = loadTlsKey(seeds.tlsKey);
  return {
    nodeId: signing.keyId,
    signing,
    sealing: sealingKeyFromSeed(seeds.sealing),
    log: signingKeyFromSeed(seeds.log),
    epochSeed: seeds.epoch,
    tls: { key, spkiHash: tlsSpkiHash(key), chain: seeds.tlsChain },
  };
}

/** Stores the seeds, sealed as every row is; a second call replaces them. */
export function storeIdentity(tx: Transaction, seeds: IdentitySeeds): void {
  const { signing, sealing, log, epoch, tlsKey, tlsChain } = seeds;
  tx.put(identityTable, seedsRow, encodeTcbor([signing, sealing, log, epoch, tlsKey, tlsChain]));
}

/** The stored seeds, or null where the node has none yet. */
export function loadIdentity(view: View): IdentitySeeds | null {
  const row = view.get(identityTable, seedsRow);
  if (row === null) return null;
  const [signing, sealing, log, epoch, tlsKey, tlsChain] = asTuple(decodeTcbor(row), "identity", 6);
  return {
    signing: asBytes(signing, "signing seed", 32),
    sealing: asBytes(sealing, "sealing seed", 32),
    log: asBytes(log, "log seed", 32),
    epoch: asBytes(epoch, "epoch seed", 32),
    tlsKey: asBytesUpTo(tlsKey, "TLS key", maxTlsKeyBytes),
    tlsChain: asList(tlsChain, "TLS chain", maxCertificates).map((each) =>
      asBytesUpTo(each, "certificate", maxCertificateBytes),
    ),
  };
}
