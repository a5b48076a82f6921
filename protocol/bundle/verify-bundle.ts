import { sameBytes, toHex } from "../base/index.ts";
import { decodeCarrier, decodeEnvelope, type Envelope, expectType, verifyEnvelope } from "../envelope/index.ts";
import { importVerifyKey, type VerifyKey } from "../keys/index.ts";
import { applyStatements, memberOf, newestRoot, type TrustChange, type TrustState, vaultIdOf } from "../trust/index.ts";
import { BundleError, StreamError } from "./errors.ts";
import { type BundleHeader, decodeHeader, encodeContext } from "./header.ts";
import { type Direction, direction } from "./header-fields.ts";
import { nodeOfSigner } from "./signer-index.ts";

export interface VerifyOptions {
  /** Which way the receiver expects items: a node down, the vault up. */
  readonly direction: Direction;
  /** What the receiver trusts now; the carrier's statements are applied to it first. */
  readonly trust: TrustState;
  /** The receiver's node id; the vault's mailbox is the first 20 bytes of the vault id. */
  readonly recipient: Uint8Array;
}

/** An item whose signature, recipient, direction, vault and root hold; its place in the stream and its body are not judged yet. */
export interface VerifiedBundle {
  readonly header: BundleHeader;
  /** 32 bytes. */
  readonly id: Uint8Array;
  /** Encoded header keys 1 to 30. */
  readonly context: Uint8Array;
  /** Sealed body, as long and with the hash that anybody claims: `openVerified` compares. */
  readonly ciphertext: Uint8Array;
  /** Node id of the member that signed a report; null for a bundle of the vault. */
  readonly signerNode: Uint8Array | null;
  /** What the receiver trusts with the carrier's statements; to be stored before it is used. */
  readonly trust: TrustState;
  readonly trustChanges: readonly TrustChange[];
}

/**
 * Verifies a carrier up to its signed header, in the order of SPEC.md section 11. Throws CARRIER_*, ENVELOPE_*, KEY_*, TRUST_*, the
 * BUNDLE_* codes of the header, and STREAM_EPOCH_DOWN for a bundle of an epoch that the root has ended.
 */
export function verifyBundle(carrierBytes: Uint8Array, options: VerifyOptions): VerifiedBundle {
  const carrier = decodeCarrier(carrierBytes);
  const { state: trust, changes } = applyStatements(options.trust, carrier.statements);
  const envelope = decodeEnvelope(carrier.envelope);
  expectWay(envelope, options.direction);
  const { key, signerNode } = signerOf(envelope, options.direction, trust);
  verifyEnvelope(envelope, key);
  const header = decodeHeader(envelope.payload);
  if (!sameBytes(header.signer, key.keyId)) throw new BundleError("BUNDLE_SIGNER_MISMATCH", "the header names another signer");
  if (!sameBytes(header.recipient, options.recipient)) throw new BundleError("BUNDLE_WRONG_RECIPIENT", "for another recipient");
  if (header.direction !== options.direction) throw wrongWay();
  if (!sameBytes(header.vaultId, vaultIdOf(trust))) throw new BundleError("BUNDLE_WRONG_VAULT", "of another vault");
  checkRoot(header, trust);
  const verified = { header, id: envelope.id, context: encodeContext(header), ciphertext: carrier.body, signerNode };
  return { ...verified, trust, trustChanges: changes };
}

/** A report where a bundle is due has its own code: it tells a reflection from a stray file. */
function expectWay(envelope: Envelope, way: Direction): void {
  const [due, other] = way === direction.down ? (["bundle", "report"] as const) : (["report", "bundle"] as const);
  if (envelope.type === other) throw wrongWay();
  expectType(envelope, due);
}

function wrongWay(): BundleError {
  return new BundleError("BUNDLE_WRONG_DIRECTION", "a report where a bundle is due, or the reverse");
}

/** Down: a bundle signer of the newest root. Up: a member that is not revoked, by its present signing key. */
function signerOf(envelope: Envelope, way: Direction, trust: TrustState): { key: VerifyKey; signerNode: Uint8Array | null } {
  const keyId = envelope.signatures[0]?.keyId ?? new Uint8Array(0);
  if (way === direction.down) {
    const key = newestRoot(trust).signers.get(toHex(keyId));
    if (key === undefined) throw unknownSigner();
    return { key, signerNode: null };
  }
  const nodeId = nodeOfSigner(trust, keyId);
  if (nodeId === null) throw unknownSigner();
  return { key: importVerifyKey(memberOf(trust, nodeId).signKey), signerNode: nodeId };
}

function unknownSigner(): BundleError {
  return new BundleError("BUNDLE_SIGNER_UNKNOWN", "signed by a key that nobody vouches for");
}

function checkRoot({ root, vaultEpoch, direction: way }: BundleHeader, trust: TrustState): void {
  const newest = newestRoot(trust);
  if (root.version > newest.document.version)
    throw new BundleError("BUNDLE_ROOT_MISSING", `issued under root ${root.version}, ${newest.document.version} is held`);
  const same = trust.roots.find((held) => held.document.version === root.version);
  if (same !== undefined && !sameBytes(same.id, root.id))
    throw new BundleError("BUNDLE_ROOT_FORK", `another root ${root.version} than the one held`);
  const { vaultEpoch: current } = newest.document;
  if (vaultEpoch > current) throw new BundleError("BUNDLE_EPOCH_AHEAD", `epoch ${vaultEpoch}, the root says ${current}`);
  // A report may come from a node that has not heard of the new epoch; its stream judges that.
  if (way === direction.down && vaultEpoch < current)
    throw new StreamError("STREAM_EPOCH_DOWN", `epoch ${vaultEpoch}, the root says ${current}`);
}
