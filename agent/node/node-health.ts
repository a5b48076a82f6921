import { TidegateError } from "../../protocol/base/index.ts";
import { memberOf } from "../../protocol/trust/index.ts";
import type { AuditLog } from "../audit/index.ts";
import type { Way } from "../config/index.ts";
import type { Health, HealthCheck } from "../local-api/index.ts";
import type { Store } from "../store/index.ts";
import type { JoinedNode } from "./contracts.ts";
import { type Hop, hopCheck } from "./hop.ts";

type Heard = Pick<JoinedNode, "vaultLastHeardAtMs" | "vaultLastWordAtMs">;

export interface HealthParts {
  readonly node: JoinedNode;
  readonly audit: AuditLog;
  readonly store: Store;
  /** Silence of the vault that makes health red, seconds. */
  readonly staleAfterS: number;
  /** Which ways lead to the vault and back; both unless given. */
  readonly way?: Way;
  /** The next node on the way to the vault. */
  readonly hop: Hop;
}

/** Honest health: a stopped writer, a revoked identity, a node that follows nobody, a next hop that is away and a vault unheard of for too long are red. */
export function nodeHealth(parts: HealthParts, more: readonly HealthCheck[] = []): Health {
  const { node, audit, store } = parts;
  const checks = [
    { name: "store", ok: store.stopped === null, detail: store.stopped ?? "writes" },
    { name: "audit", ok: audit.stopped === null, detail: audit.stopped ?? "writes" },
    identityCheck(node),
    { name: "stream", ok: node.mode === "NORMAL", detail: node.mode },
    ...hopCheck(parts.hop),
    relayCheck(parts),
    ...memoryCheck(node),
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

/** Red while values are missing that an earlier process held in memory only; nothing where there are none. */
function memoryCheck(node: JoinedNode): HealthCheck[] {
  const { gone } = node.status().memoryOnly;
  const ways = "over the tunnel, or by a stick that is written here, read and written at the vault, and read here";
  const detail = `${gone} values ended with the last process; the vault is asked for everything: ${ways}`;
  return gone === 0 ? [] : [{ name: "memory-only", ok: false, detail }];
}

/**
 * When the vault was last heard, milliseconds since 1970 by its own clock, null for never: when it first answered a nonce of ours. Where
 * nothing we say arrives nothing is ever answered: that its words come is all that can be seen.
 */
export function vaultHeardAtMs(node: Heard, way: Way): number | null {
  return way === "down" ? node.vaultLastWordAtMs : node.vaultLastHeardAtMs;
}

/**
 * Seconds since {@link vaultHeardAtMs}, null for never. By the lower end of our time, which runs on without anybody's help; the machine's
 * own clock is not asked.
 */
export function vaultSilentS(node: Heard & Pick<JoinedNode, "time">, way: Way): number | null {
  const heardAtMs = vaultHeardAtMs(node, way);
  return heardAtMs === null ? null : Math.max(0, node.time().lo - Math.floor(heardAtMs / 1000));
}

function wordCheck(node: JoinedNode, staleAfterS: number): HealthCheck {
  const silentS = vaultSilentS(node, "down");
  if (silentS === null) return { name: "relay", ok: false, detail: "one way: no bundle of the vault has come" };
  const ok = silentS <= staleAfterS;
  return { name: "relay", ok, detail: `one way, nothing is answered: the newest bundle was issued ${silentS} s ago at least` };
}

/** Says which hop is the stale one: where the next node is there, what is wrong lies behind it. */
function relayCheck({ node, staleAfterS, hop, way = "both" }: HealthParts): HealthCheck {
  if (way === "down") return wordCheck(node, staleAfterS);
  const silentS = vaultSilentS(node, way);
  if (silentS === null) return { name: "relay", ok: false, detail: "the vault was never heard" };
  const ok = silentS <= staleAfterS;
  const there = hop.status()?.state === "open";
  const beyond = !ok && there && hop.to === "gateway" ? "; the gateway is there, the way behind it is stale" : "";
  return { name: "relay", ok, detail: `the vault was heard ${silentS} s ago${beyond}` };
}
