import { asBytes, asList, asMap, asUint, compareBytes, encodeTcbor, type Tcbor, toHex } from "../base/index.ts";
import { signEnvelope } from "../envelope/index.ts";
import { type SigningKey, xWingLength } from "../keys/index.ts";
import {
  maxBundleSigners,
  maxRootKeys,
  maxTlsCaKeys,
  maxTrustDomainBytes,
  maxVaultSealingKeys,
  maxWitnessKeys,
} from "./limits.ts";
import { asDomain, asEd25519, asP256Spki, digestLength, readStatement, require, requireAscending } from "./statement-shape.ts";

/** Who speaks for the vault. Version n + 1 needs a threshold of the keys of n and of its own; SPEC.md section 6. */
export interface RootDocument {
  /** From 1. */
  readonly version: number;
  /** 32 bytes; null in version 1, whose own envelope id it is. */
  readonly vaultId: Uint8Array | null;
  /** Names the audit logs' origins; the same in every version. */
  readonly trustDomain: string;
  /** Raised by `vault restore`, never lowered. */
  readonly vaultEpoch: number;
  /** Ed25519, 1 to 16, ascending. */
  readonly rootKeys: readonly Uint8Array[];
  /** How many of `rootKeys` must sign. */
  readonly threshold: number;
  /** Ed25519 keys that sign bundles, member statements and revoked lists; 1 to 8, ascending. */
  readonly bundleSigners: readonly Uint8Array[];
  /** X-Wing keys that reports are sealed to; 1 to 4, the one to use first. */
  readonly sealingKeys: readonly Uint8Array[];
  /** X-Wing key that escrow blobs are sealed to. */
  readonly recoveryKey: Uint8Array;
  /** P-256 as SPKI DER; 0 to 4, ascending. */
  readonly tlsCaKeys: readonly Uint8Array[];
  /** Ed25519 keys of audit witnesses; 0 to 16, ascending. */
  readonly witnessKeys: readonly Uint8Array[];
}

const keys = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] as const;

/** Encodes a root's payload; sorts the keys whose order means nothing. */
export function encodeRoot(root: RootDocument): Uint8Array {
  const sorted = (list: readonly Uint8Array[]) => [...list].sort(compareBytes);
  return encodeTcbor(
    new Map<number, Tcbor>([
      [1, root.version],
      [2, root.vaultId ?? new Uint8Array(0)],
      [3, root.trustDomain],
      [4, root.vaultEpoch],
      [5, sorted(root.rootKeys)],
      [6, root.threshold],
      [7, sorted(root.bundleSigners)],
      [8, root.sealingKeys],
      [9, root.recoveryKey],
      [10, sorted(root.tlsCaKeys)],
      [11, sorted(root.witnessKeys)],
    ]),
  );
}

/** Signs a root by every one of `signers` and encodes its envelope. */
export function signRoot(root: RootDocument, signers: readonly SigningKey[]): Uint8Array {
  return signEnvelope("root", encodeRoot(root), signers);
}

/** Reads a root's payload. Throws TRUST_MALFORMED, KEY_WEAK. */
export function decodeRoot(payload: Uint8Array): RootDocument {
  return readStatement(payload, "root", (value) => {
    const map = asMap(value, "root", { required: keys });
    const version = asUint(map.get(1), "root.version");
    require(version >= 1, "root.version: from 1");
    const vaultId = version === 1 ? asBytes(map.get(2), "root.vaultId", 0) : asBytes(map.get(2), "root.vaultId", digestLength);
    const rootKeys = ed25519List(map.get(5), "root.rootKeys", { least: 1, most: maxRootKeys });
    const threshold = asUint(map.get(6), "root.threshold");
    require(threshold >= 1 && threshold <= rootKeys.length, "root.threshold: 1 to the number of root keys");
    const tlsCaKeys = asList(map.get(10), "root.tlsCaKeys", maxTlsCaKeys).map((one) => asP256Spki(one, "root.tlsCaKeys"));
    requireAscending(tlsCaKeys, "root.tlsCaKeys");
    return {
      version,
      vaultId: version === 1 ? null : vaultId,
      trustDomain: asDomain(map.get(3), "root.trustDomain", maxTrustDomainBytes),
      vaultEpoch: asUint(map.get(4), "root.vaultEpoch"),
      rootKeys,
      threshold,
      bundleSigners: ed25519List(map.get(7), "root.bundleSigners", { least: 1, most: maxBundleSigners }),
      sealingKeys: sealingList(map.get(8)),
      recoveryKey: asBytes(map.get(9), "root.recoveryKey", xWingLength.publicKey),
      tlsCaKeys,
      witnessKeys: ed25519List(map.get(11), "root.witnessKeys", { least: 0, most: maxWitnessKeys }),
    };
  });
}

function ed25519List(value: Tcbor | undefined, at: string, count: { least: number; most: number }): Uint8Array[] {
  const list = asList(value, at, count.most).map((one) => asEd25519(one, at));
  require(list.length >= count.least, `${at}: at least ${count.least}`);
  requireAscending(list, at);
  return list;
}

/** In the order given: the first is the one to seal to. */
function sealingList(value: Tcbor | undefined): Uint8Array[] {
  const at = "root.sealingKeys";
  const list = asList(value, at, maxVaultSealingKeys).map((one) => asBytes(one, at, xWingLength.publicKey));
  require(list.length >= 1, `${at}: at least 1`);
  require(new Set(list.map(toHex)).size === list.length, `${at}: one key twice`);
  return list;
}
