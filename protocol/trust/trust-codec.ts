import { asBytesUpTo, asList, asTuple, decodeTcbor, encodeTcbor, orNull, TidegateError, toHex } from "../base/index.ts";
import { decodeEnvelope, maxEnvelopeBytes, maxRootEnvelopeBytes } from "../envelope/index.ts";
import { maxMembers, maxStoredRoots } from "./limits.ts";
import { decodeMember } from "./member-statement.ts";
import { decodeRevoked } from "./revoked-list.ts";
import { holdStoredRoot } from "./root-chain.ts";
import { TrustError } from "./trust-error.ts";
import { type HeldMember, type HeldRevoked, revokedSerials, type TrustState } from "./trust-state.ts";
import { signerOf } from "./verify-statement.ts";

const magic = "tidegate-trust/1";

/** Encodes a trust state for a node's own sealed store. */
export function encodeTrust(state: TrustState): Uint8Array {
  return encodeTcbor([
    magic,
    state.roots.map((root) => root.envelope),
    [...state.members.values()].map((member) => member.envelope),
    state.revoked?.envelope ?? null,
  ]);
}

/**
 * Reads what {@link encodeTrust} wrote. Signatures are not verified again: the store is sealed, and a member may rightly be held under
 * a signer that the newest root has retired. Throws TRUST_DAMAGED.
 */
export function decodeTrust(bytes: Uint8Array): TrustState {
  try {
    const [first, roots, members, revoked] = asTuple(decodeTcbor(bytes), "trust", 4);
    if (first !== magic) throw new TrustError("TRUST_DAMAGED", "not a stored trust state");
    const held = asList(roots, "trust.roots", maxStoredRoots).map((one) =>
      holdStoredRoot(decodeEnvelope(asBytesUpTo(one, "trust.roots", maxRootEnvelopeBytes))),
    );
    if (held.length === 0) throw new TrustError("TRUST_DAMAGED", "a stored trust state without a root");
    const list = asList(members, "trust.members", maxMembers).map((one) =>
      holdMember(asBytesUpTo(one, "trust.members", maxEnvelopeBytes)),
    );
    return {
      roots: held,
      members: new Map(list.map((member) => [toHex(member.statement.nodeId), member])),
      revoked: orNull(revoked, (one) => holdRevoked(asBytesUpTo(one, "trust.revoked", maxEnvelopeBytes))),
    };
  } catch (cause) {
    if (cause instanceof TidegateError) throw new TrustError("TRUST_DAMAGED", "stored trust state does not decode", cause);
    throw cause;
  }
}

function holdMember(bytes: Uint8Array): HeldMember {
  const envelope = decodeEnvelope(bytes);
  const statement = decodeMember(envelope.payload);
  return { statement, id: envelope.id, envelope: bytes, signerKeyId: signerOf(envelope) };
}

function holdRevoked(bytes: Uint8Array): HeldRevoked {
  const envelope = decodeEnvelope(bytes);
  const list = decodeRevoked(envelope.payload);
  return { list, serials: revokedSerials(list), id: envelope.id, envelope: bytes, signerKeyId: signerOf(envelope) };
}
