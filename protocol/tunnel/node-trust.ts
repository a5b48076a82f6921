import { toHex } from "../base/index.ts";
import { importVerifyKey } from "../keys/index.ts";
import {
  applyStatements,
  checkMember,
  isSuccessor,
  newestRoot,
  rootsAbove,
  type TrustState,
  vaultIdOf,
} from "../trust/index.ts";
import { maxStatements } from "./limits.ts";
import type { TunnelTrust } from "./tunnel-trust.ts";

/** A node's trust state as the tunnel asks for it. */
export function tunnelTrust(state: TrustState): TunnelTrust {
  const { document } = newestRoot(state);
  const trust: TunnelTrust = {
    vaultId: vaultIdOf(state),
    rootVersion: document.version,
    tlsCaKeys: document.tlsCaKeys,
    statementsAbove(version) {
      const roots = rootsAbove(state, version, maxStatements - 1);
      const last = version + roots.length >= document.version;
      // Under an older root the list may not verify, and one bad statement refuses them all.
      return last && state.revoked !== null ? [...roots, state.revoked.envelope] : roots;
    },
    learn(statements) {
      const { state: next, changes } = applyStatements(state, statements);
      return changes.length === 0 ? trust : tunnelTrust(next);
    },
    member(statement) {
      const { nodeId, name, role, zone, serial, tlsKeyHash, signKey } = checkMember(state, statement);
      const key = importVerifyKey(signKey);
      return { nodeId, name, role, zone, serial, tlsKeyHash, verify: (message, signature) => key.verify(message, signature) };
    },
    lists: (nodeId) => state.revoked?.serials.has(toHex(nodeId)) === true,
    succeeds: ({ name, role }, nodeId) => isSuccessor(state, { name, role }, nodeId),
  };
  return trust;
}
