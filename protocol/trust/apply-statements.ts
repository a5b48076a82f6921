import { sameBytes, toHex } from "../base/index.ts";
import type { Envelope } from "../envelope/index.ts";
import { importSealingPublicKey } from "../keys/index.ts";
import { maxMembers } from "./limits.ts";
import { decodeMember } from "./member-statement.ts";
import { decodeRevoked } from "./revoked-list.ts";
import { extendChain, type RootPin, type UncheckedRoot, verifyRootChain } from "./root-chain.ts";
import { type SortedStatements, sortStatements } from "./sort-statements.ts";
import { TrustError } from "./trust-error.ts";
import { newestRoot, type TrustState } from "./trust-state.ts";
import { signerOf, verifyMember, verifyRevoked } from "./verify-statement.ts";

/** What a call of {@link applyStatements} changed, in order. */
export type TrustChange =
  | { readonly kind: "root"; readonly version: number; readonly vaultEpoch: number }
  | { readonly kind: "member"; readonly nodeId: Uint8Array; readonly serial: number }
  | { readonly kind: "revoked"; readonly version: number };

export interface Applied {
  readonly state: TrustState;
  readonly changes: readonly TrustChange[];
}

/** The first trust state of a node: a chain of roots that holds the pinned one, and what stands beside it. Throws as its parts do. */
export function startTrust(statements: readonly Uint8Array[], pin: RootPin): TrustState {
  const sorted = sortStatements(statements);
  const roots = verifyRootChain(sorted.roots, pin);
  return applySorted({ roots, members: new Map(), revoked: null }, { ...sorted, roots: [] }).state;
}

/**
 * Applies statements to `state`: roots first and strictly in order, then members and the revoked list under the newest root. What is
 * older than what is held, or the same, changes nothing. All or nothing: throws ENVELOPE_*, KEY_* or TRUST_* at the first that is refused.
 */
export function applyStatements(state: TrustState, statements: readonly Uint8Array[]): Applied {
  return applySorted(state, sortStatements(statements));
}

function applySorted(state: TrustState, statements: SortedStatements): Applied {
  const changes: TrustChange[] = [];
  let next = state;
  for (const root of statements.roots) next = applyRoot(next, root, changes);
  for (const envelope of statements.members) next = applyMember(next, envelope, changes);
  for (const envelope of statements.revoked) next = applyRevoked(next, envelope, changes);
  return { state: next, changes };
}

function applyRoot(state: TrustState, root: UncheckedRoot, changes: TrustChange[]): TrustState {
  const roots = extendChain(state.roots, root);
  if (roots === state.roots) return state;
  changes.push({ kind: "root", version: root.document.version, vaultEpoch: root.document.vaultEpoch });
  return { ...state, roots };
}

function applyMember(state: TrustState, envelope: Envelope, changes: TrustChange[]): TrustState {
  // Read before it is verified only to find what is held; an older statement by a key since retired must not stop the others.
  const { nodeId, serial } = decodeMember(envelope.payload);
  const key = toHex(nodeId);
  const held = state.members.get(key);
  if (held !== undefined && serial < held.statement.serial) return state;
  if (held !== undefined && isRepeat(state, held, envelope)) return state;
  const member = verifyMember(state, envelope);
  if (held !== undefined && serial === held.statement.serial && !sameBytes(held.id, envelope.id)) {
    throw new TrustError("TRUST_MEMBER_FORK", `two statements of serial ${serial} about one node`);
  }
  importSealingPublicKey(member.statement.sealKey);
  const members = new Map(state.members).set(key, member);
  if (members.size > maxMembers) throw new TrustError("TRUST_TOO_MANY", `${members.size} members`);
  changes.push({ kind: "member", nodeId, serial });
  return { ...state, members };
}

function applyRevoked(state: TrustState, envelope: Envelope, changes: TrustChange[]): TrustState {
  const { version } = decodeRevoked(envelope.payload);
  const held = state.revoked;
  if (held !== null && version < held.list.version) return state;
  if (held !== null && isRepeat(state, held, envelope)) return state;
  const revoked = verifyRevoked(state, envelope);
  if (held !== null && version === held.list.version && !sameBytes(held.id, envelope.id)) {
    throw new TrustError("TRUST_REVOKED_FORK", `two revoked lists of version ${version}`);
  }
  changes.push({ kind: "revoked", version });
  return { ...state, revoked };
}

/** The statement that is held; unless the same words were signed anew by a signer of the newest root, which then replaces the old signature. */
function isRepeat(state: TrustState, held: { id: Uint8Array; signerKeyId: Uint8Array }, envelope: Envelope): boolean {
  if (!sameBytes(held.id, envelope.id)) return false;
  const signer = signerOf(envelope);
  return sameBytes(held.signerKeyId, signer) || !newestRoot(state).signers.has(toHex(signer));
}
