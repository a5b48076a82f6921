import { assert, sameBytes } from "../base/index.ts";
import { type Envelope, verifyEnvelope } from "../envelope/index.ts";
import { decodeMember } from "./member-statement.ts";
import { decodeRevoked, type RevokedList } from "./revoked-list.ts";
import { TrustError } from "./trust-error.ts";
import {
  bundleSignerOf,
  type HeldMember,
  type HeldRevoked,
  revokedSerials,
  type TrustState,
  vaultIdOf,
} from "./trust-state.ts";

/** Verifies a member envelope under the newest root, then parses it. Throws TRUST_SIGNER, TRUST_OTHER_VAULT and what parsing throws. */
export function verifyMember(state: TrustState, envelope: Envelope): HeldMember {
  const signerKeyId = verifySigner(state, envelope);
  const statement = decodeMember(envelope.payload);
  requireVault(state, statement.vaultId);
  return { statement, id: envelope.id, envelope: envelope.bytes, signerKeyId };
}

/** As {@link verifyMember}, for a revoked list. */
export function verifyRevoked(state: TrustState, envelope: Envelope): HeldRevoked {
  const signerKeyId = verifySigner(state, envelope);
  const list: RevokedList = decodeRevoked(envelope.payload);
  requireVault(state, list.vaultId);
  return { list, serials: revokedSerials(list), id: envelope.id, envelope: envelope.bytes, signerKeyId };
}

/** The key id that signed a statement: an envelope that is no root bears exactly one signature. */
export function signerOf(envelope: Envelope): Uint8Array {
  const only = envelope.signatures[0];
  assert(only !== undefined, "a decoded envelope is signed");
  return only.keyId;
}

function verifySigner(state: TrustState, envelope: Envelope): Uint8Array {
  const keyId = signerOf(envelope);
  verifyEnvelope(envelope, bundleSignerOf(state, keyId));
  return keyId;
}

function requireVault(state: TrustState, vaultId: Uint8Array): void {
  if (!sameBytes(vaultId, vaultIdOf(state))) throw new TrustError("TRUST_OTHER_VAULT", "statement of another vault");
}
