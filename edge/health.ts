import type { AuditLog } from "../agent/audit/index.ts";
import type { Health, HealthCheck } from "../agent/local-api/index.ts";
import type { JoinedNode } from "../agent/node/index.ts";
import type { Store } from "../agent/store/index.ts";
import { TidegateError } from "../protocol/base/index.ts";
import { memberOf } from "../protocol/trust/index.ts";

export interface HealthParts {
  readonly node: JoinedNode;
  readonly audit: AuditLog;
  readonly store: Store;
  readonly staleAfterS: number;
}

/** Honest health: a stopped writer, a revoked identity, a node that follows nobody and a vault unheard of for too long are red. */
export function edgeHealth(parts: HealthParts): Health {
  const { node, audit, store } = parts;
  const checks = [
    check("store", store.stopped === null, store.stopped ?? "writes"),
    check("audit", audit.stopped === null, audit.stopped ?? "writes"),
    identityCheck(node),
    check("stream", node.mode === "NORMAL", node.mode),
    relayCheck(parts),
  ];
  return { checks, ready: node.mode !== "FRESH" };
}

function identityCheck(node: JoinedNode): HealthCheck {
  try {
    memberOf(node.trust(), node.nodeId);
    return check("identity", true, "vouched for");
  } catch (error) {
    if (error instanceof TidegateError) return check("identity", false, error.code);
    throw error;
  }
}

/** By the lower end of our time, which runs on without anybody's help; the machine's own clock is not asked. */
function relayCheck({ node, staleAfterS }: HealthParts): HealthCheck {
  const heardAtMs = node.vaultLastHeardAtMs;
  if (heardAtMs === null) return check("relay", false, "the vault was never heard");
  const silentS = Math.max(0, node.time().lo - Math.floor(heardAtMs / 1000));
  return check("relay", silentS <= staleAfterS, `the vault was heard ${silentS} s ago`);
}

function check(name: string, ok: boolean, detail: string): HealthCheck {
  return { name, ok, detail };
}
