import { TidegateError } from "../../protocol/base/index.ts";
import { type MemberStatement, memberOf, type TrustState } from "../../protocol/trust/index.ts";
import { NodeError } from "./errors.ts";

/**
 * The member that a node dials: the vault for a gateway; for an edge the gateway that it joined through, or who bears its name now. Other
 * gateways' statements count for nothing: anybody on the way may have put them into a carrier. Where all that bore the name are revoked
 * the last is dialled still: its successor answers for it, and nobody else can. Throws NODE_NO_UPSTREAM.
 */
export function upstreamOf(trust: TrustState, role: MemberStatement["role"]): MemberStatement {
  // The answer to the join came first, and statements keep their place.
  const known = [...trust.members.values()].map(({ statement }) => statement).filter((member) => member.role === role);
  const bearers = known.filter(({ name }) => name === known[0]?.name);
  const found = bearers.find(({ nodeId }) => isTrusted(trust, nodeId)) ?? bearers.at(-1);
  if (found === undefined) throw new NodeError("NODE_NO_UPSTREAM", "no statement of a node to dial is held");
  return found;
}

/** True where a statement about the node is held, it is not revoked, and the newest root names who signed it. */
export function isTrusted(trust: TrustState, nodeId: Uint8Array): boolean {
  try {
    memberOf(trust, nodeId);
    return true;
  } catch (error) {
    if (error instanceof TidegateError) return false;
    throw error;
  }
}
