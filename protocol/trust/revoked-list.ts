import { asBytes, asList, assert, asTuple, asUint, compareBytes, encodeTcbor } from "../base/index.ts";
import { signEnvelope } from "../envelope/index.ts";
import { keyIdLength, type SigningKey } from "../keys/index.ts";
import { maxRevoked } from "./limits.ts";
import { digestLength, readStatement, require, requireAscending } from "./statement-shape.ts";

/** Every node that is trusted no more. The highest version counts; it never goes down. */
export interface RevokedList {
  /** 32 bytes. */
  readonly vaultId: Uint8Array;
  /** From 1. */
  readonly version: number;
  /** By ascending node id, no id twice, at most 500. */
  readonly nodes: readonly RevokedNode[];
}

/** A node is revoked while its member statement's serial is not above `serial`. */
export interface RevokedNode {
  /** 20 bytes. */
  readonly nodeId: Uint8Array;
  readonly serial: number;
}

/** Encodes a revoked list's payload; sorts the nodes. */
export function encodeRevoked(list: RevokedList): Uint8Array {
  assert(list.nodes.length <= maxRevoked, "a revoked list of ours fits an envelope");
  const nodes = [...list.nodes].sort((a, b) => compareBytes(a.nodeId, b.nodeId));
  return encodeTcbor([list.vaultId, list.version, nodes.map((node) => [node.nodeId, node.serial])]);
}

/** Signs a revoked list by a bundle signer and encodes its envelope. */
export function signRevoked(list: RevokedList, signer: SigningKey): Uint8Array {
  return signEnvelope("revoked", encodeRevoked(list), [signer]);
}

/** Reads a revoked list's payload. Throws TRUST_MALFORMED. */
export function decodeRevoked(payload: Uint8Array): RevokedList {
  return readStatement(payload, "revoked", (value) => {
    const fields = asTuple(value, "revoked", 3);
    const version = asUint(fields[1], "revoked.version");
    require(version >= 1, "revoked.version: from 1");
    const nodes = asList(fields[2], "revoked.nodes", maxRevoked).map((one) => {
      const [nodeId, serial] = asTuple(one, "revoked.nodes", 2);
      return { nodeId: asBytes(nodeId, "revoked.nodeId", keyIdLength), serial: asUint(serial, "revoked.serial") };
    });
    requireAscending(
      nodes.map((node) => node.nodeId),
      "revoked.nodes",
    );
    return { vaultId: asBytes(fields[0], "revoked.vaultId", digestLength), version, nodes };
  });
}
