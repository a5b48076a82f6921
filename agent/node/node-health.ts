import { TidegateError } from "../../protocol/base/index.ts";
import { memberOf } from "../../protocol/trust/index.ts";
import type { AuditLog } from "../audit/index.ts";
import type { Health, HealthCheck } from "../local-api/index.ts";
import type { Store } from "../store/index.ts";
import type { JoinedNode } from "./contracts.ts";

export interface HealthParts {
  readonly node: JoinedNode;
  readonly audit: AuditLog;
  readonly store: Store;
  /** Silence of the vault that makes health red, seconds. */
  readonly staleAfterS: number;
}

/** Honest health: a stopped writer, a revoked identity, a node that follows nobody and a vault unheard of for too long are red. */
export function nodeHealth(parts: HealthParts, more: readonly HealthCheck[] = []): Health {
  const { node, audit, store } = parts;
  const checks = [
    { name: "store", ok: store.stopped === null, detail: store.stopped ?? "writes" },
    { name: "audit", ok: audit.stopped === null, detail: audit.stopped ?? "writes" },
    identityCheck(node),
    { name: "stream", ok: node.mode === "NORMAL", detail: node.mode },
    relayCheck(parts),
    ...more,
  ];
  return { checks, ready: node.mode !== "FRESH" };
}

function identityCheck(node: JoinedNode): HealthCheck {
  try {
    memberOf(node.trust(), node.nodeId);
    return { name: "identity", ok: true, detail: "vouched for" };
  } catch (error) {
    if (error instanceof TidegateError) return { name: "identity", ok: false, detail: error.code };
    throw error;
  }
}

/** By the lower end of our time, which runs on without anybody's help; the machine's own clock is not asked. */
function relayCheck({ node, staleAfterS }: HealthParts): HealthCheck {
  const heardAtMs = node.vaultLastHeardAtMs;
  if (heardAtMs === null) return { name: "relay", ok: false, detail: "the vault was never heard" };
  const silentS = Math.max(0, node.time().lo - Math.floor(heardAtMs / 1000));
  return { name: "relay", ok: silentS <= staleAfterS, detail: `the vault was heard ${silentS} s ago` };
}
