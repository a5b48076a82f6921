import { fromHex, toHex } from "../base/index.ts";
import { keyAlgorithm, keyIdOf } from "../keys/index.ts";
import type { TrustState } from "../trust/index.ts";

/** Members by present signing key. Trust states are values, so an index of one map of members holds as long as the map does. */
const indexes = new WeakMap<TrustState["members"], ReadonlyMap<string, string>>();

/** Node id (20 bytes) of the member whose present signing key has this id, or null. A re-keyed node's key id is not its node id. */
export function nodeOfSigner(trust: TrustState, keyId: Uint8Array): Uint8Array | null {
  let index = indexes.get(trust.members);
  if (index === undefined) {
    const entries = [...trust.members].map(([nodeId, member]): [string, string] => [
      toHex(keyIdOf(keyAlgorithm.ed25519, member.statement.signKey)),
      nodeId,
    ]);
    index = new Map(entries);
    indexes.set(trust.members, index);
  }
  const nodeId = index.get(toHex(keyId));
  return nodeId === undefined ? null : fromHex(nodeId);
}
