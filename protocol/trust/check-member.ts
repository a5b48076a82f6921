import { sameBytes, toHex } from "../base/index.ts";
import { decodeEnvelope, expectType } from "../envelope/index.ts";
import type { MemberStatement } from "./member-statement.ts";
import { TrustError } from "./trust-error.ts";
import { requireNotRevoked, type TrustState } from "./trust-state.ts";
import { verifyMember } from "./verify-statement.ts";

/**
 * A member statement that a peer shows about itself, judged by `state` and not stored. Throws ENVELOPE_*, KEY_WEAK, TRUST_MALFORMED,
 * TRUST_OTHER_VAULT, TRUST_SIGNER, TRUST_REVOKED, TRUST_MEMBER_FORK, and TRUST_MEMBER_OLD where a newer one is held.
 */
export function checkMember(state: TrustState, bytes: Uint8Array): MemberStatement {
  const envelope = decodeEnvelope(bytes);
  expectType(envelope, "member");
  const { statement } = verifyMember(state, envelope);
  const held = state.members.get(toHex(statement.nodeId));
  if (held !== undefined && statement.serial < held.statement.serial) {
    throw new TrustError("TRUST_MEMBER_OLD", `statement ${statement.serial} was replaced by ${held.statement.serial}`);
  }
  if (held !== undefined && statement.serial === held.statement.serial && !sameBytes(held.id, envelope.id)) {
    throw new TrustError("TRUST_MEMBER_FORK", `two statements of serial ${statement.serial} about one node`);
  }
  requireNotRevoked(state, statement);
  return statement;
}
