export { type Applied, applyStatements, startTrust, type TrustChange } from "./apply-statements.ts";
export { checkMember } from "./check-member.ts";
export { maxRevoked } from "./limits.ts";
export { decodeMember, encodeMember, type MemberStatement, type NodeRole, nodeRole, signMember } from "./member-statement.ts";
export { decodeRevoked, encodeRevoked, type RevokedList, type RevokedNode, signRevoked } from "./revoked-list.ts";
export type { HeldRoot, RootPin } from "./root-chain.ts";
export { decodeRoot, encodeRoot, type RootDocument, signRoot } from "./root-document.ts";
export { decodeTrust, encodeTrust } from "./trust-codec.ts";
export { TRUST_CODES, TrustError } from "./trust-error.ts";
export {
  bundleSignerOf,
  type HeldMember,
  type HeldRevoked,
  isSuccessor,
  memberOf,
  newestRoot,
  rootsAbove,
  type TrustState,
  vaultIdOf,
} from "./trust-state.ts";
