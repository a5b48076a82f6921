import { assert, toHex } from "../base/index.ts";
import type { VerifyKey } from "../keys/index.ts";
import type { MemberStatement } from "./member-statement.ts";
import type { RevokedList } from "./revoked-list.ts";
import { type HeldRoot, vaultIdOfRoot } from "./root-chain.ts";
import { TrustError } from "./trust-error.ts";

/** Whom a node believes. A value: it is never changed, `applyStatements` makes the next one, stored before it is used. */
export interface TrustState {
  /** Ascending without a gap; the last one counts, the others are handed on to nodes that slept. */
  readonly roots: readonly HeldRoot[];
  /** By node id in hexadecimal. */
  readonly members: ReadonlyMap<string, HeldMember>;
  /** Null until the first list. */
  readonly revoked: HeldRevoked | null;
}

/** A verified member statement of the highest serial seen. */
export interface HeldMember extends HeldStatement {
  readonly statement: MemberStatement;
}

/** The verified revoked list of the highest version seen: the floor. */
export interface HeldRevoked extends HeldStatement {
  readonly list: RevokedList;
  /** Highest revoked serial by node id in hexadecimal. */
  readonly serials: ReadonlyMap<string, number>;
}

interface HeldStatement {
  /** Envelope id, 32 bytes. */
  readonly id: Uint8Array;
  /** The envelope, to be handed on. */
  readonly envelope: Uint8Array;
  /** Who signed it, 20 bytes. */
  readonly signerKeyId: Uint8Array;
}

/** The root that counts. */
export function newestRoot(state: TrustState): HeldRoot {
  const newest = state.roots.at(-1);
  assert(newest !== undefined, "a trust state holds a root");
  return newest;
}

/** The id (32 bytes) of the vault that this state is about. */
export function vaultIdOf(state: TrustState): Uint8Array {
  return vaultIdOfRoot(newestRoot(state));
}

/** Root envelopes above `version`, ascending and at most `limit`: what a peer at `version` lacks. */
export function rootsAbove(state: TrustState, version: number, limit: number): readonly Uint8Array[] {
  return state.roots
    .filter((root) => root.document.version > version)
    .slice(0, limit)
    .map((root) => root.envelope);
}

/** The key of a bundle signer that the newest root names. Throws TRUST_SIGNER. */
export function bundleSignerOf(state: TrustState, keyId: Uint8Array): VerifyKey {
  const key = newestRoot(state).signers.get(toHex(keyId));
  if (key === undefined) throw new TrustError("TRUST_SIGNER", "signed by a key that the newest root does not name");
  return key;
}

/**
 * The statement about a node that may be trusted now. Throws TRUST_UNKNOWN, TRUST_REVOKED, and TRUST_SIGNER where the newest root
 * no longer names the key that signed the statement.
 */
export function memberOf(state: TrustState, nodeId: Uint8Array): MemberStatement {
  const held = state.members.get(toHex(nodeId));
  if (held === undefined) throw new TrustError("TRUST_UNKNOWN", "no statement about this node");
  requireNotRevoked(state, held.statement);
  bundleSignerOf(state, held.signerKeyId);
  return held.statement;
}

/** Throws TRUST_REVOKED where the list names the node with this serial or a higher one. */
export function requireNotRevoked(state: TrustState, member: MemberStatement): void {
  if (isRevoked(state, member)) throw new TrustError("TRUST_REVOKED", "node is revoked");
}

/**
 * True where `member` took the place of the node `nodeId`: that one's statement is held and revoked, and gives the same name and role. A
 * name is given anew only when its bearer is put on the list for ever, so nobody who had it before can come after.
 */
export function isSuccessor(state: TrustState, member: { name: string; role: number }, nodeId: Uint8Array): boolean {
  const before = state.members.get(toHex(nodeId))?.statement;
  return before !== undefined && isRevoked(state, before) && before.name === member.name && before.role === member.role;
}

function isRevoked(state: TrustState, member: MemberStatement): boolean {
  const serial = state.revoked?.serials.get(toHex(member.nodeId));
  return serial !== undefined && member.serial <= serial;
}

/** Highest revoked serial by node id in hexadecimal. */
export function revokedSerials(list: RevokedList): ReadonlyMap<string, number> {
  return new Map(list.nodes.map((node) => [toHex(node.nodeId), node.serial]));
}
