import { asBytes, asTuple, asUint, decodeTcbor, encodeTcbor, sameBytes, TcborError } from "../base/index.ts";
import { indexFromTcbor, indexToTcbor, type VersionIndex } from "../bundle/index.ts";
import type { LeafPlace } from "../content/index.ts";
import { type Envelope, expectType, signEnvelope, verifyEnvelope } from "../envelope/index.ts";
import { importVerifyKey, type SigningKey } from "../keys/index.ts";
import { memberOf, nodeRole, TrustError, type TrustState, vaultIdOf } from "../trust/index.ts";
import { NoticeError } from "./errors.ts";

/**
 * What an edge says of a value: `sent` may be live from now on beside the one before; `verified` is live and nothing is under way;
 * `reverted` is live although a newer one was verified before.
 */
export const noticeStates = ["sent", "verified", "reverted"] as const;
export type NoticeState = (typeof noticeStates)[number];

/** An edge's word about one account to whoever serves the account elsewhere. It holds no secret. */
export interface Notice {
  /** 32 bytes. */
  readonly vaultId: Uint8Array;
  /** The edge, 20 bytes. */
  readonly nodeId: Uint8Array;
  /** 16 bytes. */
  readonly accountId: Uint8Array;
  readonly index: VersionIndex;
  readonly state: NoticeState;
  /** Leaf of the edge's own log that records it; a later notice has a later place. */
  readonly leaf: LeafPlace;
}

/** A verified notice with the zone of the edge that signed it. */
export interface OpenedNotice extends Notice {
  readonly zone: string;
}

/** Signs a notice by the edge's identity key and encodes its envelope. */
export function signNotice(notice: Notice, signer: SigningKey): Uint8Array {
  const { vaultId, nodeId, accountId, index, state, leaf } = notice;
  const payload = encodeTcbor([
    vaultId,
    nodeId,
    accountId,
    indexToTcbor(index),
    noticeStates.indexOf(state),
    [leaf.serial, leaf.index],
  ]);
  return signEnvelope("notice", payload, [signer]);
}

/**
 * Verifies a notice by the member statement of the edge that it names. Throws ENVELOPE_*, NOTICE_MALFORMED, NOTICE_NOT_OWNER,
 * TRUST_OTHER_VAULT, TRUST_UNKNOWN, TRUST_REVOKED, TRUST_SIGNER.
 */
export function openNotice(envelope: Envelope, trust: TrustState): OpenedNotice {
  expectType(envelope, "notice");
  // Who signed stands inside: it is read to find the key, and nothing else is done with it before the signature holds.
  const notice = decodeNotice(envelope.payload);
  if (!sameBytes(notice.vaultId, vaultIdOf(trust)))
    throw new TrustError("TRUST_OTHER_VAULT", "a notice of another vault's edge");
  const member = memberOf(trust, notice.nodeId);
  verifyEnvelope(envelope, importVerifyKey(member.signKey));
  if (member.role !== nodeRole.edge) throw new NoticeError("NOTICE_NOT_OWNER", "a notice of a node that is no edge");
  return { ...notice, zone: member.zone };
}

/** Below zero where `a` stands before `b` in its log, zero where both are one place. */
export function compareLeaves(a: LeafPlace, b: LeafPlace): number {
  return a.serial - b.serial || a.index - b.index;
}

function decodeNotice(payload: Uint8Array): Notice {
  try {
    const [vaultId, nodeId, accountId, index, state, leaf] = asTuple(decodeTcbor(payload), "notice", 6);
    const [serial, at] = asTuple(leaf, "notice.leaf", 2);
    return {
      vaultId: asBytes(vaultId, "notice.vaultId", 32),
      nodeId: asBytes(nodeId, "notice.nodeId", 20),
      accountId: asBytes(accountId, "notice.accountId", 16),
      index: indexFromTcbor(index, "notice.index"),
      state: noticeStates[asUint(state, "notice.state", noticeStates.length - 1)] ?? "sent",
      leaf: { serial: asUint(serial, "notice.leaf.serial"), index: asUint(at, "notice.leaf.index") },
    };
  } catch (cause) {
    if (cause instanceof TcborError) throw new NoticeError("NOTICE_MALFORMED", cause.message, cause);
    throw cause;
  }
}
