// Writes protocol/vectors/bundle-carrier.json: whole bundles and reports, good and hostile.
import { hash } from "node:crypto";
import { concat, encodeTcbor } from "../../protocol/base/index.ts";
import {
  buildBundle,
  direction,
  encodeBody,
  encodeContext,
  encodeHeader,
  type HeaderContext,
} from "../../protocol/bundle/index.ts";
import { decodeCarrier, encodeCarrier, signEnvelope } from "../../protocol/envelope/index.ts";
import type { SealingPublicKey } from "../../protocol/keys/index.ts";
import { sealBody } from "../../protocol/seal/index.ts";
import {
  context,
  down,
  edgeSigner,
  fill,
  member,
  memberEnvelope,
  nextRootEnvelope,
  nextRootId,
  nonce,
  raw,
  recipientOf,
  reportBody,
  snapshotBody,
  start,
  up,
  vaultId,
  vaultSealer,
  vaultSigner,
} from "./bundle-sample.ts";
import { flipBit, variants, writeVectors } from "./write-vectors.ts";

const edgeKey = recipientOf(46);
const bundle = buildBundle({ header: context(), body: snapshotBody, signer: vaultSigner, recipientKey: edgeKey });
const report = buildBundle({
  header: context({ direction: direction.up }),
  body: reportBody,
  signer: edgeSigner,
  recipientKey: recipientOf(44),
  statements: [memberEnvelope],
});
const parts = decodeCarrier(bundle.carrier);

interface Forgery {
  readonly header?: Partial<HeaderContext>;
  readonly signedBy?: typeof vaultSigner;
  readonly type?: "bundle" | "report" | "notice";
  readonly sealedTo?: SealingPublicKey;
  readonly lateHeader?: Partial<HeaderContext>;
  readonly plaintext?: Uint8Array;
  readonly statements?: readonly Uint8Array[];
}

/** A carrier as a hostile sender could make it. */
function forge({ header, signedBy = vaultSigner, type = "bundle", sealedTo = edgeKey, ...rest }: Forgery): Uint8Array {
  const fields = context(header);
  const plaintext = rest.plaintext ?? encodeBody(snapshotBody, down);
  const sealed = sealBody({ context: encodeContext(fields), recipient: sealedTo, plaintext });
  const ciphertextHash = new Uint8Array(hash("sha256", sealed.ciphertext, "buffer"));
  const signed = { ...fields, ...rest.lateHeader, ...sealed, ciphertextLength: sealed.ciphertext.length, ciphertextHash };
  const envelope = signEnvelope(type, encodeHeader(signed), [signedBy]);
  return encodeCarrier({ statements: rest.statements ?? [], envelope, body: sealed.ciphertext });
}

const asEdge = {
  start,
  pinVersion: 1,
  pinId: vaultId,
  recipient: member.nodeId,
  sealingSeed: fill(32, 46),
  nonce,
  direction: direction.down,
};
const asVault = { ...asEdge, recipient: vaultId.slice(0, 20), sealingSeed: fill(32, 44), direction: direction.up };
const epoch4 = { vaultEpoch: 4, root: { version: 2, id: nextRootId } };
const opened = { expect: "ok", id: bundle.id, verdict: "apply", plaintext: encodeBody(snapshotBody, down) };
const carriers = variants({ kind: "open", ...asEdge, expect: "refused" }, [
  { name: "a bundle", ...opened, carrier: bundle.carrier },
  {
    name: "a report, with the member statement beside it",
    ...asVault,
    ...opened,
    id: report.id,
    carrier: report.carrier,
    plaintext: encodeBody(reportBody, up),
  },
  {
    name: "a bundle of the next epoch, with its root beside it",
    expect: "ok",
    verdict: "apply",
    carrier: forge({ header: epoch4, statements: [nextRootEnvelope] }),
    plaintext: encodeBody(snapshotBody, down),
  },
  { name: "a bundle of the next epoch without its root", expect: "BUNDLE_ROOT_MISSING", carrier: forge({ header: epoch4 }) },
  { name: "an epoch that no root names", expect: "BUNDLE_EPOCH_AHEAD", carrier: forge({ header: { vaultEpoch: 4 } }) },
  {
    name: "a bundle of the epoch before the root's",
    expect: "STREAM_EPOCH_DOWN",
    carrier: forge({ header: { vaultEpoch: 2 } }),
  },
  {
    name: "another id for a root that is held",
    expect: "BUNDLE_ROOT_FORK",
    carrier: forge({ header: { root: { version: 1, id: fill(32, 1) } } }),
  },
  {
    name: "a snapshot that answers another nonce, to a fresh node",
    expect: "STREAM_NONCE_REQUIRED",
    carrier: forge({ header: { answers: [fill(16, 1)] } }),
  },
  { name: "a report to a node", expect: "BUNDLE_WRONG_DIRECTION", carrier: report.carrier },
  {
    name: "a bundle whose header says up",
    expect: "BUNDLE_WRONG_DIRECTION",
    carrier: forge({
      header: { direction: direction.up, signer: vaultSigner.keyId, recipient: member.nodeId },
      plaintext: raw(),
    }),
  },
  { name: "a notice", expect: "ENVELOPE_TYPE", carrier: forge({ type: "notice" }) },
  { name: "a bundle signed by a node", expect: "BUNDLE_SIGNER_UNKNOWN", carrier: forge({ signedBy: edgeSigner }) },
  {
    name: "a header that names another signer",
    expect: "BUNDLE_SIGNER_MISMATCH",
    carrier: forge({ header: { signer: edgeSigner.keyId } }),
  },
  {
    name: "a bundle for another node",
    expect: "BUNDLE_WRONG_RECIPIENT",
    carrier: forge({ header: { recipient: vaultSigner.keyId } }),
  },
  { name: "a bundle of another vault", expect: "BUNDLE_WRONG_VAULT", carrier: forge({ header: { vaultId: fill(32, 1) } }) },
  {
    name: "a body with a turned bit",
    expect: "BUNDLE_BODY_HASH",
    carrier: encodeCarrier({ ...parts, body: flipBit(parts.body, 500) }),
  },
  {
    name: "a body cut short",
    expect: "BUNDLE_BODY_LENGTH",
    carrier: encodeCarrier({ ...parts, body: parts.body.subarray(0, -1) }),
  },
  {
    name: "a sealing key that is not held",
    expect: "BUNDLE_WRONG_KEY",
    carrier: forge({ header: { sealingKeyId: vaultSealer.keyId } }),
  },
  {
    name: "sealed to another key than the header says",
    expect: "SEAL_OPEN_FAILED",
    carrier: forge({ sealedTo: recipientOf(44) }),
  },
  {
    name: "a seal taken over into another context",
    expect: "SEAL_OPEN_FAILED",
    carrier: forge({ lateHeader: { nonce: fill(16, 1) } }),
  },
  { name: "a body that is none", expect: "BUNDLE_BODY_SHAPE", carrier: forge({ plaintext: encodeTcbor([1]) }) },
  {
    name: "a header with a turned bit",
    expect: "ENVELOPE_BAD_SIGNATURE",
    carrier: encodeCarrier({ ...parts, envelope: flipBit(parts.envelope, 800) }),
  },
  { name: "a byte after the carrier", expect: "CARRIER_MALFORMED", carrier: concat(bundle.carrier, Uint8Array.of(0)) },
  {
    name: "a report by no member",
    ...asVault,
    expect: "BUNDLE_SIGNER_UNKNOWN",
    carrier: encodeCarrier({ ...decodeCarrier(report.carrier), statements: [] }),
  },
]);

writeVectors("bundle-carrier", {
  area: "bundle",
  about:
    "SPEC.md section 11.4, for a FRESH receiver with that nonce and the roots in start; plaintext is the opened body. " +
    "Encapsulations by @noble/post-quantum with fixed seeds.",
  cases: carriers,
});
