import { asBytes, asTuple, asUint, encodeTcbor, orNull } from "../base/index.ts";
import { signEnvelope } from "../envelope/index.ts";
import { keyIdLength, type SigningKey, xWingLength } from "../keys/index.ts";
import { asEd25519, asSegment, digestLength, readStatement } from "./statement-shape.ts";

/** What kind of node a member is. */
export const nodeRole = { vault: 0, gateway: 1, edge: 2 } as const;

export type NodeRole = (typeof nodeRole)[keyof typeof nodeRole];

/** The vault's word about one node, the vault itself included. A higher serial replaces a lower one. */
export interface MemberStatement {
  /** 32 bytes. */
  readonly vaultId: Uint8Array;
  /** Key id of the node's first signing key, for ever; 20 bytes. */
  readonly nodeId: Uint8Array;
  readonly serial: number;
  /** `[a-z0-9][a-z0-9._-]{0,62}`, as `zone`. */
  readonly name: string;
  readonly role: NodeRole;
  readonly zone: string;
  /** Ed25519, 32 bytes. */
  readonly signKey: Uint8Array;
  /** X-Wing, 1,216 bytes. */
  readonly sealKey: Uint8Array;
  /** SHA-256 of the TLS key's SPKI DER, 32 bytes. */
  readonly tlsKeyHash: Uint8Array;
  /** Static log key, Ed25519. */
  readonly logKey: Uint8Array;
  /** Key of audit epoch 0, Ed25519. */
  readonly epochKey: Uint8Array;
  /** Ed25519, or null for a node that does not witness. */
  readonly witnessKey: Uint8Array | null;
}

/** Encodes a member statement's payload. */
export function encodeMember(member: MemberStatement): Uint8Array {
  return encodeTcbor([
    member.vaultId,
    member.nodeId,
    member.serial,
    member.name,
    member.role,
    member.zone,
    member.signKey,
    member.sealKey,
    member.tlsKeyHash,
    member.logKey,
    member.epochKey,
    member.witnessKey,
  ]);
}

/** Signs a member statement by a bundle signer and encodes its envelope. */
export function signMember(member: MemberStatement, signer: SigningKey): Uint8Array {
  return signEnvelope("member", encodeMember(member), [signer]);
}

/** Reads a member statement's payload. Throws TRUST_MALFORMED, KEY_WEAK. */
export function decodeMember(payload: Uint8Array): MemberStatement {
  return readStatement(payload, "member", (value) => {
    const fields = asTuple(value, "member", 12);
    return {
      vaultId: asBytes(fields[0], "member.vaultId", digestLength),
      nodeId: asBytes(fields[1], "member.nodeId", keyIdLength),
      serial: asUint(fields[2], "member.serial"),
      name: asSegment(fields[3], "member.name"),
      role: asUint(fields[4], "member.role", nodeRole.edge) as NodeRole,
      zone: asSegment(fields[5], "member.zone"),
      signKey: asEd25519(fields[6], "member.signKey"),
      sealKey: asBytes(fields[7], "member.sealKey", xWingLength.publicKey),
      tlsKeyHash: asBytes(fields[8], "member.tlsKeyHash", digestLength),
      logKey: asEd25519(fields[9], "member.logKey"),
      epochKey: asEd25519(fields[10], "member.epochKey"),
      witnessKey: orNull(fields[11], (one) => asEd25519(one, "member.witnessKey")),
    };
  });
}
